import { type ComponentChildren, Fragment } from 'preact';

/** One line of a list of facts: its name and its value. */
export const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <div class="fact">
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

/** A titled box. */
export const Card = ({ title, children }: { title: string; children: ComponentChildren }) => (
  <section class="card">
    <h3>{title}</h3>
    {children}
  </section>
);

/** A state in one or two words, coloured by `data-state`. */
export const Pill = ({ state, children }: { state: string; children: ComponentChildren }) => (
  <span class="pill" data-state={state}>
    {children}
  </span>
);

/** Text with paths in it: lines break after a slash, not within a name. */
export const Words = ({ children }: { children: string }) => (
  <>
    {children.split(/(?<=\/)(?=[^/\s])/).map((part, index) => (
      <Fragment key={index}>
        {index > 0 && <wbr />}
        {part}
      </Fragment>
    ))}
  </>
);
