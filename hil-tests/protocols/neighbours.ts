import type { Rig } from '../rig.ts';

/** More devices like this one, on its link. */
export interface Neighbours {
  /** So many of them, switched off; until it is disposed of, they and the device hear each other. */
  open(count: number): Promise<Neighbourhood>;
}

export interface Neighbourhood extends AsyncDisposable {
  readonly rigs: readonly Rig[];
}
