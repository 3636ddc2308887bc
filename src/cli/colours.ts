import { type Palette, palette } from '../report/palette.ts';
import type { CommonOptions } from './options.ts';
import type { Terminal } from './terminal.ts';

/** The colours for one of the two streams: what --color says; `auto` follows the stream, NO_COLOR and TERM=dumb. */
export function paletteFor(stream: 'out' | 'err', wish: CommonOptions['color'], terminal: Terminal): Palette {
  if (wish !== 'auto') return palette(wish === 'always');
  const { NO_COLOR, TERM } = terminal.env;
  const plain = (NO_COLOR !== undefined && NO_COLOR !== '') || TERM === 'dumb';
  return palette(!plain && (stream === 'out' ? terminal.outIsTerminal : terminal.errIsTerminal));
}
