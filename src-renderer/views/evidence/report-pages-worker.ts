/** Draws pages of a PDF beside the window, which goes on meanwhile; what `report-pages.ts` asks. */
import { getDocument } from 'unpdf/pdfjs';

/** `page` is counted from 1; `width` in pixels. */
export type PagesRequest = { open: ArrayBuffer } | { page: number; width: number };
/** Sizes are in points. */
export type PagesAnswer =
  { sizes: { width: number; height: number }[] } | { page: number; bitmap: ImageBitmap } | { error: string };

/** What pdf.js draws into: a worker has no elements. */
class OffscreenCanvases {
  create(width: number, height: number) {
    const canvas = new OffscreenCanvas(width, height);
    return { canvas, context: canvas.getContext('2d') };
  }

  reset(made: { canvas: OffscreenCanvas }, width: number, height: number): void {
    made.canvas.width = width;
    made.canvas.height = height;
  }

  destroy(made: { canvas: OffscreenCanvas }): void {
    made.canvas.width = made.canvas.height = 0;
  }
}

type Opened = Awaited<ReturnType<typeof getDocument>['promise']>;
let opened: Opened | null = null;

function answer(message: PagesAnswer, transfer: Transferable[] = []): void {
  // A worker's own scope, which the types of a window do not know.
  (self as unknown as { postMessage(message: PagesAnswer, transfer: Transferable[]): void }).postMessage(
    message,
    transfer,
  );
}

async function open(bytes: ArrayBuffer): Promise<void> {
  const pdf = await getDocument({
    data: new Uint8Array(bytes),
    // Its fonts are drawn as shapes: there is no page that could load them.
    disableFontFace: true,
    useSystemFonts: false,
    useWorkerFetch: false,
    CanvasFactory: OffscreenCanvases,
  }).promise;
  opened = pdf;
  const sizes: { width: number; height: number }[] = [];
  for (let page = 1; page <= pdf.numPages; page++) {
    const { width, height } = (await pdf.getPage(page)).getViewport({ scale: 1 });
    sizes.push({ width, height });
  }
  answer({ sizes });
}

async function draw(pdf: Opened, number: number, width: number): Promise<void> {
  const page = await pdf.getPage(number);
  const viewport = page.getViewport({ scale: width / page.getViewport({ scale: 1 }).width });
  const canvas = new OffscreenCanvas(Math.round(viewport.width), Math.round(viewport.height));
  const canvasContext = canvas.getContext('2d', { alpha: false }) as unknown as CanvasRenderingContext2D;
  await page.render({ canvas: null, canvasContext, viewport }).promise;
  const bitmap = canvas.transferToImageBitmap();
  answer({ page: number, bitmap }, [bitmap]);
}

self.addEventListener('message', ({ data }: MessageEvent<PagesRequest>) => {
  const work = 'open' in data ? open(data.open) : opened === null ? undefined : draw(opened, data.page, data.width);
  work?.catch((error: unknown) => answer({ error: error instanceof Error ? error.message : String(error) }));
});
