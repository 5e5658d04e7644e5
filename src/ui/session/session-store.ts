/** Who is signed in, for the requests that need it: outside of React, because a request may outlive a page. */
import type { components } from '../../origin/api/contract.d.ts';

export type Session = components['schemas']['Session'];

class SessionStore {
  #session: Session | undefined;
  #ended: { promise: Promise<void>; resolve: () => void } | undefined;
  readonly #listeners = new Set<() => void>();

  get current(): Session | undefined {
    return this.#session;
  }

  /** Whether the session ended in the middle of something, and requests wait for the next. */
  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** Somebody is signed in: requests that waited go on. */
  begin(session: Session): void {
    this.#session = session;
    this.#ended?.resolve();
    this.#ended = undefined;
    this.#tell();
  }

  /** The session ended by itself. Resolves when the user has signed in again. */
  waitForNext(): Promise<void> {
    if (this.#ended === undefined) {
      this.#ended = Promise.withResolvers<void>();
      this.#tell();
    }
    return this.#ended.promise;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

export const sessionStore = new SessionStore();
