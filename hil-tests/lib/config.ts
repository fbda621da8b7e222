/** Settings a test puts on the card, on top of what the rig always needs. */
export interface CardSettings {
  readonly role?: 'hub' | 'camera' | 'auto';
  readonly name?: string;
  /**
   * Whether the rig's header is used: the simulated chip is polled for its lines all the time, which costs a guest a tenth of a
   * processor.
   */
  readonly header?: boolean;
  /** Where masters go: the lab's disk or nowhere, or as on a device without the setting. */
  readonly masters?: '/media/ssd' | 'auto';
  /** TOML that follows. */
  readonly more?: string;
}

/** Lines of the header that the rig has: the simulated chip has eight. */
export const rigLines = { jumper: 3, button: 4, light: 5 } as const;

const headerConfig = `[jumper]
gpio = ${rigLines.jumper}

[record_button]
gpio = ${rigLines.button}

[tally_light]
gpio = ${rigLines.light}

`;

/** rushlight.toml for the rig: a hub that keeps masters on the second disk and uses no camera by itself. */
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

/** The virtual camera as `cam0`. */
export const cameraSource = cameraSourceOf('cam0');

/** Writes settings to the card while the device runs, like an editor: in one step. */
export function writeConfigCommand(): string {
  return 'cat > /boot/rushlight/rushlight.toml.new; mv /boot/rushlight/rushlight.toml.new /boot/rushlight/rushlight.toml; sync -f /boot/rushlight';
}
