import markdownIt from 'markdown-it';
import type { Token } from 'markdown-it/index.js';
import { anchorsInOrder } from './headings.ts';

/** A heading of a page. */
export interface Heading {
  readonly level: number;
  readonly text: string;
  readonly id: string;
}

/** The contents of a page: its headings, and for the search the text below each of them. */
export interface PageText {
  readonly title: string;
  readonly headings: readonly Heading[];
  readonly sections: readonly { readonly id: string; readonly title: string; readonly text: string }[];
}

/** Gives the link as the site has it, or null if the site has nothing there: then only the text stays. */
type LinkRewriter = (inputPath: string, link: string) => string | null;

interface MarkdownOptions {
  readonly rewrite: LinkRewriter;
  /** Receives the contents of each page. */
  readonly read: (inputPath: string, text: PageText) => void;
}

interface Environment {
  readonly page: { readonly inputPath: string };
}

/**
 * Markdown as forges show it, for pages under a strict policy: no style attributes, wide tables in boxes that scroll,
 * headings with anchors.
 */
export function siteMarkdown({ rewrite, read }: MarkdownOptions) {
  const markdown = markdownIt({ html: true, linkify: false });
  markdown.core.ruler.push('site', (state) => {
    const { inputPath } = (state.env as Environment).page;
    const text = readPage(state.tokens);
    read(inputPath, text);
    const opened = state.tokens.filter(({ type }) => type === 'heading_open');
    for (const [at, heading] of opened.entries()) heading.attrSet('id', text.headings[at]?.id ?? '');
    for (const token of state.tokens) {
      if (token.type === 'th_open' || token.type === 'td_open') alignByClass(token);
      if (token.children !== null) token.children = rewriteLinks(token.children, inputPath, rewrite);
    }
  });
  const { rules } = markdown.renderer;
  rules.table_open = () => '<div class="scroll" tabindex="0"><table>\n';
  rules.table_close = () => '</table></div>\n';
  rules.fence = (tokens, index) => {
    const { info = '', content = '' } = tokens[index] ?? {};
    const [language = ''] = info.trim().split(/\s+/);
    const { escapeHtml } = markdown.utils;
    const label = language === '' ? '' : ` data-language="${escapeHtml(language)}"`;
    return `<div class="code"${label}><pre tabindex="0"><code>${escapeHtml(content)}</code></pre></div>\n`;
  };
  rules.html_block = (tokens, index) => withoutComments(tokens[index]?.content ?? '');
  rules.html_inline = (tokens, index) => withoutComments(tokens[index]?.content ?? '');
  return markdown;
}

const withoutComments = (html: string): string => html.replace(/<!--[\s\S]*?-->\n?/g, '');

/** A token's text without markup. */
const plain = (token: Token | undefined): string =>
  (token?.children ?? [])
    .map((child) => (child.type === 'softbreak' || child.type === 'hardbreak' ? ' ' : child.content))
    .join('');

function readPage(tokens: readonly Token[]): PageText {
  const found = tokens.flatMap((token, index) => {
    if (token.type !== 'heading_open') return [];
    return [{ index, level: Number(token.tag.slice(1)), text: plain(tokens[index + 1]) }];
  });
  const ids = anchorsInOrder(found.map(({ text }) => text));
  const headings = found.map(({ level, text }, at) => ({ level, text, id: ids[at] ?? '' }));
  const sections = found.map(({ index, text }, at) => ({
    id: ids[at] ?? '',
    title: text,
    text: tokens
      .slice(index + 3, found[at + 1]?.index ?? tokens.length)
      .map((token) => (token.type === 'inline' ? plain(token) : token.type === 'fence' ? token.content : ''))
      .filter((part) => part !== '')
      .join(' ')
      .replace(/\s+/g, ' '),
  }));
  return { title: headings[0]?.text ?? 'Rushlight', headings, sections };
}

function alignByClass(token: Token): void {
  const align = /text-align:(\w+)/.exec(token.attrGet('style') ?? '')?.[1];
  if (align === undefined) return;
  token.attrs = (token.attrs ?? []).filter(([name]) => name !== 'style');
  token.attrJoin('class', `align-${align}`);
}

/** Links and pictures follow into the site. A link to what the site lacks leaves its text. */
function rewriteLinks(children: readonly Token[], inputPath: string, rewrite: LinkRewriter): Token[] {
  let dropped = 0;
  return children.filter((child) => {
    if (child.type === 'image') {
      const source = rewrite(inputPath, child.attrGet('src') ?? '');
      if (source !== null) child.attrSet('src', source);
      child.attrSet('loading', 'lazy');
    }
    if (child.type === 'link_open') {
      const href = rewrite(inputPath, child.attrGet('href') ?? '');
      if (href === null) dropped += 1;
      else child.attrSet('href', href);
      return href !== null;
    }
    if (child.type === 'link_close' && dropped > 0) {
      dropped -= 1;
      return false;
    }
    return true;
  });
}
