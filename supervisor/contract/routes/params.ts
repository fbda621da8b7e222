/** What stands in the paths of several routes. */
import { z } from 'zod';
import { slugSchema } from '../common.ts';

export const feedParams = z.object({ feed: slugSchema });
export const sessionParams = feedParams.extend({ session: z.string().min(1).max(64) });
export const cameraParams = z.object({ id: z.string().min(1).max(64) });
