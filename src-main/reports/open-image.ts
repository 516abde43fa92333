/** A picture that PDFKit has looked at: its size in pixels, and of a JPEG its colours. */
interface OpenedImage {
  width: number;
  height: number;
  colorSpace?: string;
}

/** What PDFKit does with pictures beyond what its types say. @throws Error for what is neither PNG nor JPEG, or damaged */
export function openImage(document: PDFKit.PDFDocument, bytes: Buffer): OpenedImage {
  return (document as unknown as { openImage: (source: Buffer) => OpenedImage }).openImage(bytes);
}
