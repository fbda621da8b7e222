import { expect, test } from 'vitest';
import { closure, parseReadelf } from './needed.ts';

const text = `
File: /root/usr/bin/ffmpeg

Dynamic section at offset 0x1 contains 3 entries:
  Tag        Type                         Name/Value
 0x0000000000000001 (NEEDED)             Shared library: [libav.so.1]
 0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]
 0x000000000000001d (RUNPATH)            Library runpath: [/usr/lib/x/pulseaudio]

File: /root/usr/lib/libav.so.1

Dynamic section at offset 0x1 contains 2 entries:
 0x000000000000000e (SONAME)             Library soname: [libav.so.1]
 0x0000000000000001 (NEEDED)             Shared library: [libx264.so.164]

File: /dev/null
`;

test('reads what each file is linked to', () => {
  expect(parseReadelf(text)).toEqual([
    { path: '/root/usr/bin/ffmpeg', needs: ['libav.so.1', 'libc.so.6'] },
    { path: '/root/usr/lib/libav.so.1', needs: ['libx264.so.164'] },
    { path: '/dev/null', needs: [] },
  ]);
});

test('follows libraries through others, even in circles, and leaves out unused ones', () => {
  const library = (name: string, ...needs: string[]) => [name, { path: name, needs }] as const;
  const libraries = new Map([
    library('a', 'b'),
    library('b', 'c', 'a'),
    library('c'),
    library('unused', 'a'),
  ]);
  expect([...closure([{ path: 'program', needs: ['a', 'gone'] }], libraries)].sort()).toEqual([
    'a',
    'b',
    'c',
    'gone',
  ]);
});
