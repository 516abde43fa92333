"""Recordings as a model's card has them conditioned: SoundFile or ffmpeg, NumPy, SciPy, and Silero VAD on onnxruntime."""

import subprocess

import numpy as np
import onnxruntime
import soundfile
import torch
import torchaudio
from scipy.signal import butter, sosfilt

FADE_SECONDS = 0.02
FRAME_SECONDS = 0.02
TAIL_SECONDS = 0.2
SILENCE_DBFS = -85
SURROUNDINGS_DB = 70
LEAST_ACTIVE_SHARE = 0.25
LEAST_SPEECH_SHARE = 0.25
SPEECH_LEVEL_DBFS = -23
SPEECH_FRAME = 512
SPEECH_CONTEXT = 64
SPEECH_RATE = 16_000


def one_thread():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return options


def decode(path, rate):
    """Mono at a rate; what SoundFile does not read goes to ffmpeg."""
    try:
        samples, native = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError:
        command = ["ffmpeg", "-v", "error", "-i", path, "-ac", "1", "-ar", str(rate), "-f", "f32le", "-"]
        return np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, dtype="<f4").copy()
    samples = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    if native != rate:
        samples = torchaudio.functional.resample(torch.from_numpy(samples), native, rate).numpy()
    return samples


class Speech:
    """Silero VAD's published graph, which takes a frame of 32 ms at a time: here of several recordings at once."""

    def __init__(self, path):
        self.session = onnxruntime.InferenceSession(path, one_thread(), providers=["CPUExecutionProvider"])

    def probabilities(self, signals):
        """Of each signal's frames; a signal's last frame is filled up with silence."""
        counts = [-(-len(signal) // SPEECH_FRAME) for signal in signals]
        longest = max(counts, default=0)
        held = np.zeros((len(signals), SPEECH_CONTEXT + longest * SPEECH_FRAME), dtype=np.float32)
        for row, signal in zip(held, signals):
            row[SPEECH_CONTEXT : SPEECH_CONTEXT + len(signal)] = signal
        state = np.zeros((2, len(signals), 128), dtype=np.float32)
        found = np.zeros((len(signals), longest), dtype=np.float32)
        rate = np.array(SPEECH_RATE, dtype=np.int64)
        for frame in range(longest):
            at = frame * SPEECH_FRAME
            feeds = {"input": held[:, at : at + SPEECH_CONTEXT + SPEECH_FRAME], "state": state, "sr": rate}
            output, state = self.session.run(None, feeds)
            found[:, frame] = output[:, 0]
        return [row[:count] for row, count in zip(found, counts)]


class Conditioning:
    def __init__(self, card, speech):
        self.card = card["conditioning"]
        self.rate = self.card["sampleRateHz"]
        self.length = round(card["window"]["seconds"] * self.rate)
        self.hop = round(card["window"]["hopSeconds"] * self.rate)
        self.least_speech = card["thresholds"]["minimumSpeechSeconds"]
        self.speech = speech
        ramp = np.arange(round(FADE_SECONDS * self.rate)) + 0.5
        self.ramp = (0.5 - 0.5 * np.cos(np.pi * ramp / len(ramp))).astype(np.float32)
        low, high = self.card["bandHz"]
        high_pass = butter(4, low, "highpass", fs=self.rate, output="sos")
        low_pass = butter(16, high, "lowpass", fs=self.rate, output="sos")
        self.filter = np.concatenate([high_pass, low_pass])

    def filtered(self, path):
        samples = decode(path, self.rate)
        sounding = np.flatnonzero(samples)
        if len(sounding) > 0:
            first, last = sounding[0], sounding[-1] + 1
            rise = min(len(self.ramp), last - first)
            samples[first : first + rise] *= self.ramp[:rise]
            samples[last - rise : last] *= self.ramp[:rise][::-1]
        tail = np.zeros(round(TAIL_SECONDS * self.rate), dtype=np.float32)
        return sosfilt(self.filter, np.concatenate([samples, tail])).astype(np.float32)

    def activity(self, samples):
        """Active frames and the loudest stretch's power; None for silence."""
        frame = round(FRAME_SECONDS * self.rate)
        powers = np.square(samples[: len(samples) // frame * frame].reshape(-1, frame)).mean(axis=1)
        reference = np.median(np.lib.stride_tricks.sliding_window_view(powers, min(5, len(powers))), axis=1).max()
        if not 10 * np.log10(max(reference, 1e-30)) > SILENCE_DBFS:
            return None
        above = (powers >= reference * 10 ** (-self.card["activeRangeDb"] / 10)).astype(int)
        active = np.convolve(above, np.ones(5, dtype=int), "same") > 2
        return frame, powers, reference, active

    def span(self, frame, powers, reference, active):
        """Where windows come from, and where the sound lies, in samples."""
        places = np.flatnonzero(active)
        start, end = places[0] * frame, (places[-1] + 1) * frame
        sound = start, end
        length = end - start
        if self.card.get("shortSound", "repeated") == "surrounded" and length < self.length:
            quiet = np.flatnonzero(powers < reference * 10 ** (-SURROUNDINGS_DB / 10))
            before = quiet[quiet < places[0]]
            after = quiet[quiet > places[-1]]
            earliest = (before[-1] + 1 if len(before) else 0) * frame
            latest = (after[0] if len(after) else len(powers)) * frame
            wanted = min(self.length, 2 * length, latest - earliest)
            start = max(earliest, min(start - (wanted - length) // 2, latest - wanted))
            end = start + wanted
        return (start, end), sound

    def planned(self, start, end):
        last = end - self.length
        return [start] if last <= start else [*range(start, last, self.hop), last]

    def windows(self, paths):
        """Each recording's windows [n, length], levelled, and how many samples of them are its own; the rest are they again."""
        recordings = []
        for path in paths:
            samples = self.filtered(path)
            found = self.activity(samples)
            if found is None:
                raise ValueError(f"{path} is silent")
            frame, powers, _, active = found
            (start, end), sound = self.span(*found)
            length = min(self.length, end - start)
            starts = self.planned(start, end)
            share = [active[at // frame : -(-(at + length) // frame)].sum() * frame for at in starts]
            sounding = [at for at, samples_active in zip(starts, share) if samples_active >= LEAST_ACTIVE_SHARE * length]
            recordings.append((samples, sounding or starts, length, sound, powers[active].mean()))
        return [self.levelled(*parts) for parts in self.speaking(recordings)]

    def speaking(self, recordings):
        """Leaves out windows without speech, where there is enough of it elsewhere."""
        if self.speech is None:
            return [(samples, starts, length) for samples, starts, length, _, _ in recordings]
        signals = []
        for samples, _, _, (begin, end), power in recordings:
            gain = 10 ** ((SPEECH_LEVEL_DBFS - 10 * np.log10(power)) / 20)
            signals.append(samples[begin:end] * np.float32(gain))
        result = []
        for (samples, starts, length, (begin, _), _), found in zip(recordings, self.speech.probabilities(signals)):
            spoken = found >= 0.5
            chosen = []
            for at in starts:
                first = (at - begin) // SPEECH_FRAME
                last = min(-(-(at - begin + length) // SPEECH_FRAME), len(spoken))
                if spoken[max(first, 0) : last].sum() >= LEAST_SPEECH_SHARE * (last - first):
                    chosen.append(at)
            enough = spoken.sum() * SPEECH_FRAME / SPEECH_RATE >= self.least_speech
            result.append((samples, chosen if chosen and enough else starts, length))
        return result

    def levelled(self, samples, starts, length):
        windows = np.stack([np.resize(samples[at : at + length], self.length) for at in starts])
        power = np.maximum(np.square(windows, dtype=np.float64).mean(axis=1, keepdims=True), 1e-30)
        level = 10 ** (self.card["windowLevelDbfs"] / 10)
        return torch.from_numpy((windows * np.sqrt(level / power)).astype(np.float32)), int(min(length, self.length))
