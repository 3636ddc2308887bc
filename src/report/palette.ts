import pico from 'picocolors';

type Paint = (text: string) => string;

/** What the colours of a report mean. The same words in black and white carry all the information. */
export interface Palette {
  readonly good: Paint;
  readonly bad: Paint;
  readonly unsure: Paint;
  readonly create: Paint;
  readonly change: Paint;
  readonly remove: Paint;
  readonly faint: Paint;
  readonly strong: Paint;
}

/** Colours, or none: whether they are wanted is decided where the terminal is known. */
export function palette(colours: boolean): Palette {
  const c = pico.createColors(colours);
  return {
    good: c.green,
    bad: c.red,
    unsure: c.yellow,
    create: c.green,
    change: c.yellow,
    remove: c.red,
    faint: c.dim,
    strong: c.bold,
  };
}
