/** The room for a grid, in CSS pixels. */
export interface GridBox {
  readonly count: number;
  readonly width: number;
  readonly height: number;
  /** Space between tiles. */
  readonly gap: number;
  /** Below this width of a tile the grid scrolls instead of shrinking. */
  readonly leastTileWidth: number;
}

/** A grid that fits. */
export interface GridFit {
  readonly columns: number;
  readonly rows: number;
  readonly tileWidth: number;
  readonly tileHeight: number;
  /** The tiles do not all fit into the height. */
  readonly scrolls: boolean;
}

const aspect = 16 / 9;

const fitColumns = ({ count, width, height, gap }: GridBox, columns: number): GridFit => {
  const rows = Math.ceil(count / columns);
  const widthBound = (width - gap * (columns - 1)) / columns;
  const heightBound = (height - gap * (rows - 1)) / rows;
  const tileWidth = Math.floor(Math.max(0, Math.min(widthBound, heightBound * aspect)));
  return { columns, rows, tileWidth, tileHeight: Math.floor(tileWidth / aspect), scrolls: false };
};

/** The grid of 16:9 tiles that shows the largest pictures in a box (CSS pixels). */
export const fitGrid = (box: GridBox): GridFit => {
  const count = Math.max(1, box.count);
  let best = fitColumns({ ...box, count }, 1);
  for (let columns = 2; columns <= count; columns += 1) {
    const fit = fitColumns({ ...box, count }, columns);
    if (fit.tileWidth > best.tileWidth) best = fit;
  }
  if (best.tileWidth >= box.leastTileWidth) return best;
  const columns = Math.min(
    count,
    Math.max(1, Math.floor((box.width + box.gap) / (box.leastTileWidth + box.gap))),
  );
  const tileWidth = Math.floor(Math.max(0, (box.width - box.gap * (columns - 1)) / columns));
  const rows = Math.ceil(count / columns);
  const tileHeight = Math.floor(tileWidth / aspect);
  return {
    columns,
    rows,
    tileWidth,
    tileHeight,
    scrolls: rows * tileHeight + (rows - 1) * box.gap > box.height,
  };
};
