import type { AgentDown, AgentUp } from './agent.ts';
import type { LinkedCamera } from './status.ts';

/** What a linked camera says, for each part of the hub that needs it. */
export interface CameraListener {
  changed?(): void;
  /** A camera opened a new link. Messages sent over an earlier one may not have arrived. */
  linked?(cameraId: string): void;
  /** A camera reported its state, which `list` now has. */
  reported?(cameraId: string): void;
  take?(cameraId: string, message: Extract<AgentUp, { type: 'take' }>): void;
  refused?(cameraId: string, message: Extract<AgentUp, { type: 'refused' }>): void;
  accepted?(cameraId: string, message: Extract<AgentUp, { type: 'accepted' }>): void;
}

/** The cameras linked to a hub, as takes and rollouts see them: which cameras are there, and how to command them. */
export interface LinkedCameras {
  list(): readonly LinkedCamera[];
  /** Returns the function that ends the subscription. */
  subscribe(listener: CameraListener): () => void;
  /** Sends a command. Returns false if the camera is not linked now. */
  send(cameraId: string, message: AgentDown): boolean;
}
