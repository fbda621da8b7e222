/** More devices like this one, on its link; `Rig` is what each of them is worked by. */
export interface Neighbours<Rig> {
  /** So many of them, switched off; until it is disposed of, they and the device hear each other. */
  open(count: number): Promise<Neighbourhood<Rig>>;
}

export interface Neighbourhood<Rig> extends AsyncDisposable {
  readonly rigs: readonly Rig[];
}
