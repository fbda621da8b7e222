/** Findings as the table of docs/conformance.md. */
import type { Finding, Protocol } from './requirement.ts';

const titles: Readonly<Record<Protocol, string>> = {
  whip: 'WHIP (RFC 9725)',
  whep: 'WHEP (draft-ietf-wish-whep-03, as of 2026-04-29)',
};

export function tableOf(findings: readonly Finding[]): string {
  const parts = (['whip', 'whep'] as const).flatMap((protocol) => {
    const own = findings.filter((finding) => finding.protocol === protocol);
    return own.length === 0 ? [] : [`## ${titles[protocol]}\n`, ...head, ...own.map(rowOf), ''];
  });
  return parts.join('\n');
}

/** `41 pass, 2 fail (0 MUST), 5 not applicable`. */
export function summaryOf(findings: readonly Finding[]): string {
  const count = (verdict: Finding['verdict']): number =>
    findings.filter((finding) => finding.verdict === verdict).length;
  return `${count('pass')} pass, ${count('fail')} fail (${failedMusts(findings).length} MUST), ${count('not applicable')} not applicable`;
}

export function failedMusts(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ level, verdict }) => level === 'MUST' && verdict === 'fail');
}

const head = ['| | section | level | requirement | result |', '| --- | --- | --- | --- | --- |'];

function rowOf({ id, section, level, text, verdict, reason }: Finding): string {
  const shown = verdict === 'fail' ? '**fail**' : verdict;
  const cells = [`\`${id}\``, section, level, text, reason === '' ? shown : `${shown}: ${reason}`];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}
