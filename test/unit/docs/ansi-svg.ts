/** Text with ANSI colours to SVG: a terminal window as a picture that needs no font or script from anywhere. */

interface Style {
  readonly colour: string;
  readonly bold: boolean;
}

interface Piece extends Style {
  /** Column where it starts, from 0. */
  readonly column: number;
  readonly text: string;
}

const plain = '#d8dee9';
/** The colours that reports use, chosen to be told apart on the dark ground of the window by people who do not see red or green. */
const colours: Readonly<Record<number, string>> = {
  2: '#8b95a7',
  31: '#ff8f8f',
  32: '#8fd694',
  33: '#f2cc60',
  36: '#7cc7ff',
};
const cell = { width: 8.4, height: 20, size: 14 };
const margin = { left: 20, top: 48, bottom: 18 };

/** @param lines without line breaks. @throws for an escape sequence that it does not know, so that none is shown as text. */
export function ansiSvg(title: string, lines: readonly string[]): string {
  const rows = lines.map(pieces);
  const columns = Math.max(...rows.flat().map(({ column, text }) => column + text.length));
  const width = Math.ceil(margin.left * 2 + columns * cell.width);
  const height = margin.top + rows.length * cell.height + margin.bottom;
  const label = escapeXml(title);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
<title>${label}</title>
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="9" fill="#20242c" stroke="#596273"/>
<g fill="#596273"><circle cx="22" cy="20" r="5"/><circle cx="40" cy="20" r="5"/><circle cx="58" cy="20" r="5"/></g>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${cell.size}" xml:space="preserve">
${rows.flatMap((row, index) => row.map((piece) => drawn(piece, index))).join('\n')}
</g>
</svg>
`;
}

/** Every piece has its place and its length: columns stay columns whatever font is there. */
function drawn({ column, text, colour, bold }: Piece, row: number): string {
  const x = (margin.left + column * cell.width).toFixed(1);
  const y = margin.top + row * cell.height + cell.size;
  const length = (text.length * cell.width).toFixed(1);
  return `<text x="${x}" y="${y}" textLength="${length}" lengthAdjust="spacingAndGlyphs" fill="${colour}"${bold ? ' font-weight="bold"' : ''}>${escapeXml(text)}</text>`;
}

function pieces(line: string): Piece[] {
  let style: Style = { colour: plain, bold: false };
  let column = 0;
  return line.split(/(\x1b\[[0-9;]*m)/).flatMap((part): Piece[] => {
    const codes = /^\x1b\[([0-9;]*)m$/.exec(part)?.[1];
    if (codes !== undefined) {
      style = codes.split(';').map(Number).reduce(styled, style);
      return [];
    }
    const found = /\S.*\S|\S/.exec(part);
    const at = column + (found?.index ?? 0);
    column += part.length;
    return found ? [{ ...style, column: at, text: found[0] }] : [];
  });
}

function styled(style: Style, code: number): Style {
  if (code === 0) return { colour: plain, bold: false };
  if (code === 1) return { ...style, bold: true };
  if (code === 22) return { colour: style.colour === colours[2] ? plain : style.colour, bold: false };
  if (code === 39) return { ...style, colour: plain };
  const colour = colours[code];
  if (colour === undefined) throw new Error(`a colour that is not known here: ${code}`);
  return { ...style, colour };
}

function escapeXml(text: string): string {
  if (/[\x00-\x1f\x7f-\x9f]/.test(text)) throw new Error(`a control character in ${JSON.stringify(text)}`);
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
