import type { Status } from '../../../contract/index.ts';
import type { PageRoute } from './page-route.ts';

/** The pages by the names that people see. */
export const pageNames: Readonly<Record<PageRoute['page'], string>> = {
  live: 'Live',
  takes: 'Takes',
  cameras: 'Cameras',
  system: 'System',
};

/** The title of the browser's tab: what is shown, then the appliance; a dot before both while it records. */
export const titleOf = (route: PageRoute, status: Status | null): string => {
  if (status === null) return 'Rushlight';
  const shown = route.page === 'live' ? labelOf(route.feed, status) : pageNames[route.page];
  const parts = [shown, status.device.name].filter((part) => part !== null);
  return `${status.recording.state === 'recording' ? '● ' : ''}${parts.join(' · ')}`;
};

const labelOf = (feed: string | null, { feeds }: Status): string | null =>
  feeds.find(({ id }) => id === feed)?.label ?? null;
