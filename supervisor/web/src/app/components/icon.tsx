const paths = {
  live: 'M4 6h11a1 1 0 0 1 1 1v2.5l4-2.5v10l-4-2.500V17a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1z',
  camera: 'M4 8h3l2-3h6l2 3h3v11H4zM12 10a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7z',
  takes: 'M4 5h16v14H4zM4 9h16M8 5v4M16 5v4M10 12l4.500 2.500L10 17z',
  system:
    'M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM12 3v3M12 18v3M3 12h3M18 12h3M5.600 5.600l2.100 2.100M16.300 16.300l2.100 2.100M5.600 18.400l2.100-2.100M16.300 7.700l2.100-2.100',
  back: 'M15 5l-7 7 7 7',
  previous: 'M15 5l-7 7 7 7',
  next: 'M9 5l7 7-7 7',
  sound: 'M4 10v4h4l5 4V6L8 10zM16 9a4 4 0 0 1 0 6M18.500 6.500a8 8 0 0 1 0 11',
  muted: 'M4 10v4h4l5 4V6L8 10zM16 9.500l5 5M21 9.500l-5 5',
  fullscreen: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
  offline:
    'M4 4l16 16M8 6h7a1 1 0 0 1 1 1v2.500l4-2.500v10M16 17a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1',
  warning: 'M12 4l9 16H3zM12 10v4M12 17v.500',
  check: 'M5 12.500l4.500 4.500L19 7',
  download: 'M12 4v11M7 10.500l5 5 5-5M5 20h14',
} as const;

/** Name of a drawing. */
export type IconName = keyof typeof paths;

/** A line drawing in the text's colour. Screen readers skip it, because the text beside it says the same. */
export const Icon = ({ name }: { name: IconName }) => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
    <path d={paths[name]} />
  </svg>
);
