import { faces, packagesOnlyFor, rules } from './scripts/import-rules.ts';

const escaped = (path) => path.replaceAll('.', '\\.');
const inside = (room) => (room.endsWith('.ts') ? `^${escaped(room)}$` : `^${room}/`);
const faceOf = (room) => (room in faces ? `^${room}/(${faces[room].map(escaped).join('|')})$` : inside(room));
const untested = '\\.(test|fake|fixture)\\.tsx?$|/testing/|/bench/';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-test-in-product',
      severity: 'error',
      from: { pathNot: untested },
      to: { path: untested },
    },
    ...Object.entries(rules).map(([room, may]) => ({
      name: `${room} imports only what it may`,
      severity: 'error',
      from: { path: inside(room), pathNot: untested },
      to: {
        path: '^(common|supervisor|media|ota|image|release|hil-tests|scripts)/',
        pathNot: [inside(room), ...may.map(faceOf)],
      },
    })),
    ...Object.entries(packagesOnlyFor).map(([name, rooms]) => ({
      name: `${name} belongs to ${rooms.join(' and ')}`,
      severity: 'error',
      from: { path: '^(common|supervisor|media|ota|image)/', pathNot: [untested, ...rooms.map(inside)] },
      to: { path: `(^|/)node_modules/(@types/)?${name}/|^${name}(/|$)` },
    })),
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  },
};
