import '../base/no-telemetry.ts';
import ort from 'onnxruntime-node';

/**
 * A graph on ONNX Runtime, ready to run on the processor.
 * @param threads that share a run; 1 where several sessions run beside one another
 * @param widened weights in 8 bits become floats once, when the graph is loaded; else their inputs may be rounded to 8 bits, too
 * @throws Error of ONNX Runtime where it cannot load the graph.
 */
export function openSession(onnx: Uint8Array, threads: number, widened = false): Promise<ort.InferenceSession> {
  // It takes no shared memory.
  const bytes = onnx.buffer instanceof SharedArrayBuffer ? onnx.slice() : onnx;
  return ort.InferenceSession.create(bytes, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // An arena keeps what the largest run took; without it a scan holds 15 MB less and takes at most 4 % longer.
    enableCpuMemArena: false,
    enableMemPattern: false,
    // Else threads that wait keep their cores busy: of a short recording that takes longer than scoring it.
    extra: { session: { intra_op: { allow_spinning: '0' }, ...(widened ? { disable_quant_qdq: '1' } : {}) } },
  });
}
