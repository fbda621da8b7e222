/** Settings a test puts on the card, on top of what the rig always needs. */
export interface CardSettings {
  readonly role?: 'hub' | 'camera' | 'auto';
  readonly name?: string;
  /** Whether the rig's header is used: the played chip is asked for its lines all the time, which costs a guest a tenth of a processor. */
  readonly header?: boolean;
  /** Where masters go: the lab's disk or nowhere, or as on a device that nobody told. */
  readonly masters?: '/media/ssd' | 'auto';
  /** TOML that follows. */
  readonly more?: string;
}

/** Lines of the header the rig has: the played chip has eight. */
export const rigLines = { jumper: 3, button: 4, light: 5 } as const;

const headerConfig = `[jumper]
gpio = ${rigLines.jumper}

[record_button]
gpio = ${rigLines.button}

[tally_light]
gpio = ${rigLines.light}

`;

/** rushlight.toml for the rig: a hub that keeps masters on the second disk and takes no camera by itself. */
export function cardConfig(settings: CardSettings = {}): string {
  const { role = 'hub', name = 'rig', header = true, masters = '/media/ssd', more = '' } = settings;
  return `role = "${role}"
name = "${name}"

${header ? headerConfig : ''}[devices]
adopt = "never"

[masters]
path = "${masters}"
reserve_mb = 64

${more}`;
}

/** A source for the kernel's virtual camera, small enough for an emulated processor. */
export const cameraSourceOf = (id: string, fps = 5): string => `[[source]]
id = "${id}"
kind = "v4l2"
width = 320
height = 180
fps = ${fps}
bitrate_kbps = 300
`;

export const cameraSource = cameraSourceOf('cam0');

/** Puts settings on the card while the device runs, as an editor does: in one step. */
export function writeConfigCommand(): string {
  return 'cat > /boot/rushlight/rushlight.toml.new; mv /boot/rushlight/rushlight.toml.new /boot/rushlight/rushlight.toml; sync -f /boot/rushlight';
}
