/**
 * What whoever runs Tyto should know of it now: a list of short texts, such as that a reload
 * failed, and those who follow it live.
 */
import type { StatusNotification } from '@tyto/api';
import type { Clock } from '@tyto/base';

/** Returns false where the follower takes nothing more just now. */
export type NotificationListener = (notification: StatusNotification) => boolean;

export class Notifications {
  readonly #clock: Clock;
  readonly #followersMax: number;
  readonly #active = new Map<string, StatusNotification>();
  readonly #followers = new Set<NotificationListener>();
  #sent = 0;
  #dropped = 0;

  constructor(clock: Clock, followersMax: number) {
    this.#clock = clock;
    this.#followersMax = followersMax;
  }

  /** Those that are active, the oldest first. */
  get all(): StatusNotification[] {
    return [...this.#active.values()];
  }

  get followerCount(): number {
    return this.#followers.size;
  }

  /** What was told to followers, and of that what they did not take. */
  get counts(): { readonly sent: number; readonly dropped: number } {
    return { sent: this.#sent, dropped: this.#dropped };
  }

  /** Makes a text active or, where it is that already, says that it was so again. */
  add(text: string): void {
    const notification = { text, date: this.#now(), active: true };
    this.#active.set(text, notification);
    this.#tell(notification);
  }

  remove(text: string): void {
    const notification = this.#active.get(text);
    if (notification === undefined) return;
    this.#active.delete(text);
    this.#tell({ ...notification, active: false });
  }

  /**
   * Tells what is active, and from now on what comes and goes. Returns how to end that; undefined
   * where there are too many followers already.
   */
  follow(listener: NotificationListener): (() => void) | undefined {
    if (this.#followers.size >= this.#followersMax) return undefined;
    this.#followers.add(listener);
    for (const notification of this.#active.values()) this.#send(listener, notification);
    return () => void this.#followers.delete(listener);
  }

  #tell(notification: StatusNotification): void {
    for (const listener of this.#followers) this.#send(listener, notification);
  }

  #send(listener: NotificationListener, notification: StatusNotification): void {
    this.#sent++;
    if (!listener(notification)) this.#dropped++;
  }

  #now(): string {
    return new Date(this.#clock.nowMs()).toISOString();
  }
}
