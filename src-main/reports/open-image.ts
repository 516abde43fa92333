import PDFDocument from 'pdfkit';

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

/** The same without a document that it is to stand in. */
export function imageAsIs(bytes: Buffer): OpenedImage {
  // No standard font: none is needed.
  return openImage(new PDFDocument({ autoFirstPage: false, font: null as unknown as string }), bytes);
}
