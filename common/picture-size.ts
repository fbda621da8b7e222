/** Size of the largest JPEG picture that is accepted, from wherever it comes, in bytes. */
export const maxPictureBytes = 4 * 1024 * 1024;
