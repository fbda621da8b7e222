/** A fenced block of a page. */
export interface CodeBlock {
  readonly language: string;
  /** The word after the language: `test`, `server`, `test=data/rushlight.toml`. */
  readonly task: string | null;
  readonly text: string;
  /** The line of the fence, from 1. */
  readonly line: number;
}

/** The fenced blocks of a page, also those in lists. Fences of four backticks only show fences. */
export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { indent: string; language: string; task: string | null; line: number; text: string[] } | null =
    null;
  for (const [index, line] of markdown.split('\n').entries()) {
    const fence = /^(\s*)```(?!`)\s*(\S*)\s*(\S*)/.exec(line);
    if (open !== null && fence !== null && fence[2] === '') {
      blocks.push({ language: open.language, task: open.task, text: open.text.join('\n'), line: open.line });
      open = null;
    } else if (open !== null) {
      open.text.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line);
    } else if (fence !== null) {
      const [, indent = '', language = '', task = ''] = fence;
      open = { indent, language, task: task === '' ? null : task, line: index + 1, text: [] };
    }
  }
  return blocks;
}
