// Plays a CP2112 (a USB chip with eight GPIO lines) through /dev/uhid, so that the kernel's own driver shows a real
// gpiochip in a guest. Runs on the device, passed in from outside; the image contains nothing of it.
//
// The levels from outside are read from <folder>/in, those that the device drives are written to
// <folder>/out: one decimal number each, one bit for each line. Reports as in the chip's data sheet (AN495).
import { mkdirSync, openSync, read, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const folder = '/run/rig-gpio';
const maxReportBytes = 4096;

// Event numbers of linux/uhid.h.
const event = { getReport: 9, getReportReply: 10, create2: 11, setReport: 13, setReportReply: 14 };
const report = { direction: 2, level: 3, set: 4, version: 5, bus: 6 };
const payloadBytes = {
  [report.direction]: 4,
  [report.level]: 1,
  [report.set]: 2,
  [report.version]: 2,
  [report.bus]: 13,
};

/** A report descriptor with a vendor-defined feature report for each of the above. */
function descriptor() {
  const features = Object.entries(payloadBytes).flatMap(([id, bytes]) => [
    ...[0x85, Number(id)], // report id
    ...[0x09, Number(id), 0x15, 0x00, 0x26, 0xff, 0x00], // usage, values 0 to 255
    ...[0x75, 8, 0x95, bytes, 0xb1, 0x02], // so many bytes, a feature
  ]);
  const input = [0x85, 0x16, 0x09, 0x16, 0x75, 8, 0x95, 61, 0x81, 0x02];
  return Buffer.from([0x06, 0x00, 0xff, 0x09, 0x01, 0xa1, 0x01, ...features, ...input, 0xc0]);
}

function createRequest() {
  const bytes = descriptor();
  const request = Buffer.alloc(4 + 128 + 64 + 64 + 2 + 2 + 4 * 4 + maxReportBytes);
  request.writeUInt32LE(event.create2, 0);
  request.write('Rig GPIO', 4);
  request.write('rig', 4 + 128);
  let offset = 4 + 128 + 64 + 64;
  offset = request.writeUInt16LE(bytes.length, offset);
  offset = request.writeUInt16LE(3, offset); // USB
  offset = request.writeUInt32LE(0x10c4, offset);
  offset = request.writeUInt32LE(0xea90, offset);
  bytes.copy(request, offset + 8);
  return request;
}

const state = { outputs: 0, driven: 0 };

function levels() {
  const outside = Number(readFileSync(join(folder, 'in'), 'utf8')) || 0;
  return (state.driven & state.outputs) | (outside & ~state.outputs & 0xff);
}

function answer(number) {
  switch (number) {
    case report.direction:
      return [number, state.outputs, 0, 0, 0];
    case report.level:
      return [number, levels()];
    case report.version:
      return [number, 0x0c, 2];
    case report.bus:
      return [number, 0, 1, 0x86, 0xa0, 2, 0, 0, 0, 0, 0, 0, 0, 0];
    default:
      return null;
  }
}

function keepOutputs() {
  writeFileSync(join(folder, 'out.new'), String(state.driven & state.outputs));
  renameSync(join(folder, 'out.new'), join(folder, 'out'));
}

function onGet(device, id, number) {
  const payload = answer(number);
  const reply = Buffer.alloc(4 + 8 + maxReportBytes);
  reply.writeUInt32LE(event.getReportReply, 0);
  reply.writeUInt32LE(id, 4);
  reply.writeUInt16LE(payload === null ? 5 : 0, 8); // EIO
  reply.writeUInt16LE(payload?.length ?? 0, 10);
  Buffer.from(payload ?? []).copy(reply, 12);
  writeSync(device, reply);
}

function onSet(device, id, number, data) {
  if (number === report.direction) state.outputs = data[1];
  if (number === report.set) state.driven = (state.driven & ~data[2]) | (data[1] & data[2]);
  keepOutputs();
  const reply = Buffer.alloc(4 + 6);
  reply.writeUInt32LE(event.setReportReply, 0);
  reply.writeUInt32LE(id, 4);
  writeSync(device, reply);
}

function serve(device) {
  const buffer = Buffer.alloc(8 + maxReportBytes + 256);
  const next = () =>
    read(device, buffer, 0, buffer.length, null, (error) => {
      if (error !== null) throw error;
      const type = buffer.readUInt32LE(0);
      const id = buffer.readUInt32LE(4);
      if (type === event.getReport) onGet(device, id, buffer[8]);
      if (type === event.setReport)
        onSet(device, id, buffer[8], buffer.subarray(12, 12 + buffer.readUInt16LE(10)));
      next();
    });
  next();
}

mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'in'), '255'); // pulled up: everything is open
keepOutputs();
const device = openSync('/dev/uhid', 'r+');
writeSync(device, createRequest());
serve(device);
