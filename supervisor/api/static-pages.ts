import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';
import type { Middleware } from 'koa';
import { ifThere } from '../../common/files.ts';
import { ApiError } from './api-error.ts';
import { answerNoPage, manual, manualPolicy, wantsManualPage } from './manual-pages.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
  '.webp': 'image/webp',
  '.yaml': 'text/plain; charset=utf-8',
  '.toml': 'text/plain; charset=utf-8',
  '.service': 'text/plain; charset=utf-8',
  '.sh': 'text/plain; charset=utf-8',
};

const pagesPolicy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'self'";
/** The built pages, with the manual. Files under assets/ have their hash in the name and may be cached forever; index.html never. */
export function staticPages(folder: string): Middleware {
  return async (ctx, next) => {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return next();
    if (ctx.path === '/docs') return ctx.redirect(manual);
    const file = await findFile(folder, ctx.path);
    if (file === null && wantsManualPage(ctx)) {
      return answerNoPage(ctx, (await findFile(folder, manual)) !== null);
    }
    if (file === null && ctx.path === manual) {
      throw new ApiError('ROUTE_UNKNOWN', 'The manual is not part of this installation.', {
        hint: 'In a clone, `npm run docs` builds it.',
      });
    }
    if (file === null) return next();
    ctx.set(
      'Cache-Control',
      ctx.path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    );
    ctx.set('X-Content-Type-Options', 'nosniff');
    ctx.set('Referrer-Policy', 'no-referrer');
    ctx.set('X-Frame-Options', 'SAMEORIGIN');
    ctx.set('Content-Security-Policy', ctx.path.startsWith(manual) ? manualPolicy : pagesPolicy);
    ctx.type = types[extname(file.path)] ?? 'application/octet-stream';
    ctx.length = file.size;
    ctx.lastModified = file.mtime;
    if (ctx.fresh) ctx.status = 304;
    else ctx.body = createReadStream(file.path);
  };
}

async function findFile(
  folder: string,
  urlPath: string,
): Promise<{ path: string; size: number; mtime: Date } | null> {
  const decoded = decode(urlPath);
  if (decoded === null || decoded.includes('\0')) return null;
  const path = normalize(join(folder, isFolder(decoded) ? `${decoded}index.html` : decoded));
  if (!path.startsWith(folder + sep)) return null;
  const found = await ifThere(stat(path));
  return found?.isFile() ? { path, size: found.size, mtime: found.mtime } : null;
}

/** The start page, and each folder of the manual, have an index. */
const isFolder = (path: string): boolean => path === '/' || (path.startsWith(manual) && path.endsWith('/'));

function decode(urlPath: string): string | null {
  try {
    return decodeURIComponent(urlPath);
  } catch {
    // Not a URL-encoded path, so none of our files has it.
    return null;
  }
}
