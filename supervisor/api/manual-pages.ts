import type { Context } from 'koa';

/** The manual is part of the built pages: `npm run docs` makes it. */
export const manual = '/docs/';

/** Nothing in it is inline, and it sends nothing. */
export const manualPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

/** Whether a person's browser asks for a page of the manual. Scripts get a problem document, as everywhere else. */
export function wantsManualPage(ctx: Context): boolean {
  return ctx.path.startsWith(manual) && ctx.get('Accept').includes('text/html');
}

/** Answers a path below `/docs/` that has no page. */
export function answerNoPage(ctx: Context, hasManual: boolean): void {
  ctx.status = 404;
  ctx.type = 'text/html; charset=utf-8';
  ctx.set('Cache-Control', 'no-cache');
  ctx.set('X-Content-Type-Options', 'nosniff');
  ctx.set('Referrer-Policy', 'no-referrer');
  ctx.set('Content-Security-Policy', manualPolicy);
  ctx.vary('Accept');
  ctx.body = hasManual ? page(noSuchPage(ctx.path)) : page(noManual);
}

const noSuchPage = (path: string) => `<h1>The manual has no such page</h1>
<p>There is nothing at <code>${html(path)}</code>. The page may have moved, or the address has a typing error.</p>
<p><a href="${manual}">Start of the manual</a> · <a href="/">Live pictures</a></p>`;

const noManual = `<h1>The manual is not part of this installation</h1>
<p>In a clone, <code>npm run docs</code> builds it.</p>
<p><a href="/">Live pictures</a></p>`;

function page(content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<title>Not found – Rushlight</title>
<link rel="icon" href="${manual}assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${manual}assets/site.css">
</head>
<body class="alone">
<div class="page"><main id="content"><article>
${content}
</article></main></div>
</body>
</html>
`;
}

function html(text: string): string {
  return text.replaceAll(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);
}
