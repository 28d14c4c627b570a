/** Collects samples into metric families, as a collector reports them one by one. */
import type { MetricType } from '@tyto/model';
import type { FamilySample, MetricFamily } from '@tyto/wire';

export type SampleLabels = Readonly<Record<string, string>>;

interface OpenFamily extends MetricFamily {
  readonly samples: FamilySample[];
}

export class HostFamilies {
  readonly #byName = new Map<string, OpenFamily>();
  readonly #texts: string[] = [];

  counter(name: string, help: string, value: number, labels: SampleLabels = {}): void {
    this.#add(name, 'counter', help, value, labels);
  }

  gauge(name: string, help: string, value: number, labels: SampleLabels = {}): void {
    this.#add(name, 'gauge', help, value, labels);
  }

  untyped(name: string, help: string, value: number, labels: SampleLabels = {}): void {
    this.#add(name, 'unknown', help, value, labels);
  }

  /** Adds text that is an exposition already. */
  addText(text: string): void {
    this.#texts.push(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** All that was added as text. */
  text(): string {
    return this.#texts.join('');
  }

  families(): MetricFamily[] {
    return [...this.#byName.values()];
  }

  /** A value that cannot be read says nothing and is left out. */
  #add(name: string, type: MetricType, help: string, value: number, labels: SampleLabels): void {
    if (Number.isNaN(value)) return;
    let family = this.#byName.get(name);
    if (family === undefined) {
      family = { name, type, help, samples: [] };
      this.#byName.set(name, family);
    }
    family.samples.push({ labels: Object.entries(labels), value });
  }
}
