// The programs of the pet camera in a runtime directory of their own.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Process } from './process.js';

// What `cargo xtask test` has built, told by environment variables.
export function built(name) {
  const path = process.env[name];
  if (!path) throw new Error(`${name} is not set: run \`cargo xtask test --tier browser\``);
  return path;
}

export class System {
  constructor(directory) {
    this.directory = directory;
    this.env = { ...process.env, FRAMELANE_DIR: directory };
    this.processes = new Map();
  }

  static async create() {
    return new System(await mkdtemp(join(tmpdir(), 'framelane-browser-')));
  }

  // Starts a program, or starts it again under the same name.
  start(name, ...command) {
    const started = new Process(name, command.map(String), this.env);
    this.processes.set(name, started);
    return started;
  }

  framelane(name, ...args) {
    return this.start(name, built('FRAMELANE'), ...args);
  }

  camera(lane, ...args) {
    return this.framelane(lane, 'camera', lane, '--source', 'pattern', ...args);
  }

  // The streaming server; its address.
  async server(listen = '127.0.0.1:0', ...args) {
    const server = this.start('server', built('PET_CAMERA_SERVER'), '-listen', listen, ...args);
    return (await server.line(/^http:\S+$/))[0];
  }

  get(name) {
    return this.processes.get(name);
  }

  // The last words of all, for a test that failed.
  words() {
    const told = [...this.processes.values()].map((one) => `--- ${one.name}\n${one.tail()}`);
    return told.join('\n');
  }

  async stop() {
    // Readers before writers: none has to wait for a lane that is gone.
    const endings = [...this.processes.values()].reverse().map((one) => one.stop());
    const failed = (await Promise.allSettled(endings)).filter((one) => one.status === 'rejected');
    await rm(this.directory, { recursive: true, force: true });
    if (failed.length > 0) throw failed[0].reason;
  }
}
