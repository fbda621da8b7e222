import { ApiError } from '../api-error.ts';
import { presentedToken, sessionCookie } from '../middleware/access.ts';
import type { RouteHandlers } from '../router.ts';

/** A cookie instead of the bearer token, for clients that cannot send headers: EventSource, WebSocket, plain downloads. */
export function sessionRoutes(): Pick<RouteHandlers, 'openSession' | 'closeSession'> {
  return {
    openSession: (_request, ctx) => {
      const { token } = presentedToken(ctx.req);
      if (token === null)
        throw new ApiError('TOKEN_MISSING', 'Send the token as "Authorization: Bearer <token>".');
      setCookie(ctx, token, 365 * 24 * 3600);
      return undefined;
    },
    closeSession: (_request, ctx) => {
      setCookie(ctx, '', 0);
      return undefined;
    },
  };
}

function setCookie(
  ctx: { secure: boolean; append(field: string, value: string): void },
  value: string,
  maxAgeS: number,
): void {
  const secure = ctx.secure ? '; Secure' : '';
  ctx.append(
    'Set-Cookie',
    `${sessionCookie}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeS}${secure}`,
  );
}
