/** More devices like this one, on its link; each of them has a `Rig` of its own. */
export interface Neighbours<Rig> {
  /** A number of them, switched off; until disposal, they and the device receive each other's packets. */
  open(count: number): Promise<Neighbourhood<Rig>>;
}

/** The devices and how to end them. */
export interface Neighbourhood<Rig> extends AsyncDisposable {
  readonly rigs: readonly Rig[];
}
