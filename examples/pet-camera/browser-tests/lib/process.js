// Programs under test: started, listened to, killed, never left behind.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { once } from 'node:events';

const PATIENCE_MS = 10_000;

export class Process {
  constructor(name, command, env) {
    this.name = name;
    this.said = [];
    const [program, ...args] = command;
    this.child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => resolve(signal ?? code));
      this.child.once('error', (error) => { this.said.push(String(error)); resolve(error); });
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.said.push(line));
    }
  }

  // The first line it has said, or says in time, that fits.
  async line(pattern) {
    return until(`${this.name} says ${pattern}`, () => {
      const found = this.said.map((line) => pattern.exec(line)).find(Boolean);
      if (!found && this.isGone) throw new Error(`${this.name} has ended: ${this.tail()}`);
      return found;
    }, () => this.tail());
  }

  get isGone() {
    return this.child.exitCode !== null || this.child.signalCode !== null || !this.child.pid;
  }

  tail() {
    return this.said.slice(-20).join('\n');
  }

  async kill(signal = 'SIGKILL') {
    if (!this.isGone) this.child.kill(signal);
    return this.ended;
  }

  // Asks it to end; an ending that needs more than that is told.
  async stop() {
    if (this.isGone) return this.ended;
    this.child.kill('SIGTERM');
    const late = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE_MS);
    const how = await this.ended;
    clearTimeout(late);
    if (how === 'SIGKILL') throw new Error(`${this.name} does not end when asked to`);
    return how;
  }
}

// Waits for something to hold, and says what did not.
export async function until(what, holds, more = () => '', limit = 60_000) {
  const end = Date.now() + limit;
  for (;;) {
    const found = await holds();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${limit / 1000} s: ${what}\n${more()}`);
    await new Promise((next) => setTimeout(next, 50));
  }
}

export async function closed(server) {
  server.closeAllConnections?.();
  server.close();
  await once(server, 'close');
}
