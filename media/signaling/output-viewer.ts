/** What an output is called among the viewers of its feed. */
export function outputViewer(output: string, feed: string): string {
  return `output:${output}/${feed}`;
}
