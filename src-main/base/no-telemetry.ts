/**
 * ONNX Runtime sends usage events to its maker, and writes files beside them into the folder for temporary files,
 * unless this is set before its first session. Evidence is examined without any outgoing connection. The main thread
 * has to import this: what a worker sets in its environment stays there.
 */
process.env['ORT_DISABLE_TELEMETRY'] = '1';
