// All programs of the pet camera, each of which can be killed and started again.
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { DAY, NIGHT, writeClip } from './scene.js';
import { System, built } from './system.js';

const ACTIVE = 'pet_camera_active_zc';
const STREAM = 'pet_camera_stream';
const DETECTIONS = 'pet_camera_detections';

// A port that was free a moment ago: a program that comes back has to come back where it was.
async function freePort() {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address();
  listener.close();
  await once(listener, 'close');
  return port;
}

export class PetCamera {
  static async start() {
    const made = new PetCamera();
    made.system = await System.create();
    const [monitor, server] = [await freePort(), await freePort()];
    made.url = `http://127.0.0.1:${monitor}`;
    made.server = `http://127.0.0.1:${server}`;
    try {
      for (const [name, light] of [['day', DAY], ['night', NIGHT]]) {
        await writeClip(made.clip(name), light);
      }
      for (const name of PetCamera.PROGRAMS) await made.begin(name);
    } catch (error) {
      await made.stop();
      throw error;
    }
    return made;
  }

  static PROGRAMS = ['day', 'night', 'switch', 'detector', 'encoder', 'server', 'monitor'];

  clip(name) {
    return join(this.system.directory, `${name}.y4m`);
  }

  // Starts a program, also again.
  async begin(name) {
    const { system } = this;
    const python = (program, ...args) => system.start(name, built('PET_CAMERA_PYTHON'), '-B',
      join(built('PET_CAMERA'), program), ...args);
    const camera = (id) => system.framelane(name, 'camera', `pet_camera_${name}`, '--source',
      `y4m:${this.clip(name)}`, '--strip', '--camera-id', id, '--slots', 20);
    const listen = (url) => url.replace('http://', '');
    switch (name) {
      case 'day': return camera(0);
      case 'night': return camera(1);
      case 'switch': return system.framelane(name, 'switch', 'create', ACTIVE, 'pet_camera_day',
        'pet_camera_night');
      case 'encoder': return system.framelane(name, 'encode', ACTIVE, STREAM, '--gop', 30,
        '--encoder', 'openh264');
      case 'detector': return python('detector/detect.py', ACTIVE, DETECTIONS);
      case 'server': return system.server(listen(this.server), '-stream', STREAM, '-frames', ACTIVE,
        '-allow-origin', this.url);
      case 'monitor': return python('monitor/monitor.py', '--listen', listen(this.url), '--server',
        this.server, '--frames', ACTIVE, '--yolo', ACTIVE, '--detections', DETECTIONS,
        '--stream', STREAM).line(/^http:\S+$/);
      default: throw new Error(`there is no ${name}`);
    }
  }

  async kill(name) {
    await this.system.get(name).kill();
  }

  async stop() {
    await this.system.stop();
  }
}
