/** The two system slots. A boots from partition 2 (root on 5), B from partition 3 (root on 6). */
export type SlotName = 'A' | 'B';

/** B for A, and A for B. */
export function otherSlot(slot: SlotName): SlotName {
  return slot === 'A' ? 'B' : 'A';
}

/** Number of the FAT partition that holds the slot's kernel. */
export function bootPartitionOf(slot: SlotName): number {
  return slot === 'A' ? 2 : 3;
}

/** The slot whose kernel is on a partition, or null if the partition belongs to no slot. */
export function slotOfBootPartition(partition: number): SlotName | null {
  return partition === 2 ? 'A' : partition === 3 ? 'B' : null;
}

/** The slot the running system booted from, by its kernel command line (`rauc.slot=A`); null if it does not say. */
export function bootedSlot(cmdline: string): SlotName | null {
  const match = /(?:^|\s)rauc\.slot=([AB])(?:\s|$)/.exec(cmdline);
  return match === null ? null : (match[1] as SlotName);
}
