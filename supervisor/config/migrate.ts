import { configVersion } from './schema.ts';

/** A TOML table as parsed. */
export type TomlTable = { [key: string]: unknown };

/** Brings a config one version forward. Must not fail on keys that are absent or of a wrong type. */
export interface ConfigMigration {
  readonly to: number;
  readonly migrate: (table: TomlTable) => TomlTable;
}

/** All steps, oldest first. Version 1 is the first format. */
const configMigrations: readonly ConfigMigration[] = [];

/** A file's table in this program's format. */
export interface MigratedConfig {
  readonly table: TomlTable;
  /** The file has a newer format, written for a release that was rolled back: its unknown keys are skipped. */
  readonly isNewer: boolean;
}

/**
 * Converts the file's content to this program's format, in memory; the file is never written. A file without a version has the
 * present one.
 */
export function migrateConfig(
  table: TomlTable,
  migrations: readonly ConfigMigration[] = configMigrations,
  target: number = configVersion,
): MigratedConfig {
  const { config_version: version } = table;
  if (typeof version !== 'number' || !Number.isInteger(version)) return { table, isNewer: false };
  const steps = migrations.filter(({ to }) => to > version && to <= target);
  const migrated = steps.reduce((current, step) => step.migrate(current), table);
  return {
    table: steps.length === 0 ? table : { ...migrated, config_version: target },
    isNewer: version > target,
  };
}
