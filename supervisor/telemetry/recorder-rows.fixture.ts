import { componentsOf, render } from './home-assistant/ha-check.fixture.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * Counts what Home Assistant's recorder writes: a row for each entity whose state or attributes differ from those before.
 * Entities that are disabled by default have none. For tests.
 */
export class RecorderRows {
  readonly byEntity = new Map<string, number>();
  readonly #last = new Map<string, string>();
  #components: Readonly<Record<string, Json>> = {};

  /** A message that Home Assistant gets. */
  note(topic: string, text: string): void {
    if (topic.endsWith('/config')) this.#components = componentsOf(JSON.parse(text));
    else if (topic.endsWith('/state')) this.#noteStates(topic, JSON.parse(text));
  }

  get total(): number {
    return [...this.byEntity.values()].reduce((sum, rows) => sum + rows, 0);
  }

  forget(): void {
    this.byEntity.clear();
  }

  #noteStates(topic: string, payload: unknown): void {
    for (const [key, component] of Object.entries(this.#components)) {
      const { state_topic: stateTopic, value_template: template, enabled_by_default: enabled } = component;
      const reads = template !== undefined || component.platform === 'update';
      if (stateTopic !== topic || enabled === false || !reads) continue;
      const state = template === undefined ? JSON.stringify(payload) : render(String(template), payload);
      const attributesTemplate = component.json_attributes_template;
      const attributes = attributesTemplate === undefined ? '' : render(String(attributesTemplate), payload);
      const row = `${state}\n${attributes}`;
      if (this.#last.get(key) !== row) this.byEntity.set(key, (this.byEntity.get(key) ?? 0) + 1);
      this.#last.set(key, row);
    }
  }
}
