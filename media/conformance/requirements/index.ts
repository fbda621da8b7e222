/** All requirements, in the order in which they are checked: floods come last. */
import type { Lab } from '../lab.ts';
import type { Requirement } from '../requirement.ts';
import { accessRequirements } from './access.ts';
import { answerRequirements } from './answers.ts';
import { corsRequirements } from './cors.ts';
import { httpRequirements } from './http.ts';
import { iceRequirements } from './ice.ts';
import { mediaRequirements } from './media.ts';
import { restartRequirements } from './restarts.ts';
import { stunRequirements } from './stun.ts';
import { unseenOfServers } from './unseen.ts';

/** All requirements of servers. */
export const requirements: readonly Requirement<Lab>[] = [
  ...httpRequirements,
  ...corsRequirements,
  ...answerRequirements,
  ...iceRequirements,
  ...restartRequirements,
  ...stunRequirements,
  ...mediaRequirements,
  ...unseenOfServers,
  ...accessRequirements,
];
