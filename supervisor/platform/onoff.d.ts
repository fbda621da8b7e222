/**
 * What this room uses of the optional package onoff. npm omits the package if there is no compiler, and the types must be
 * checked there, too.
 */
declare module 'onoff' {
  export class Gpio {
    /** `gpio` is a sysfs number, not a BCM number. Throws where sysfs does not hand out the line. */
    constructor(gpio: number, direction: 'in' | 'out' | 'high' | 'low', edge?: 'none' | 'both');
    read(): Promise<0 | 1>;
    write(value: 0 | 1): Promise<void>;
    /** Calls back after each edge. */
    watch(callback: (error: Error | null | undefined, value: 0 | 1) => void): void;
    unwatchAll(): void;
    unexport(): void;
  }
}
