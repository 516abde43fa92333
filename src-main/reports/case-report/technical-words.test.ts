import { describe, expect, it } from 'vitest';
import { codecText, containerFacts, containerText } from './technical-words.ts';

describe('containerFacts', () => {
  const row = (parser: string, track: string, name: string, value: string) => ({ parser, track, name, value });

  it('says alike things once, and each parser’s where they differ', () => {
    const facts = containerFacts([
      row('mediainfo 26.05', 'General', 'Format', 'FLAC'),
      row('earwitness flac', 'General', 'Container', 'flac'),
      row('mediainfo 26.05', 'General', 'StreamSize', '0'),
      row('mediainfo 26.05', 'Audio', 'Duration', '1.621'),
      row('ffmpeg 5.1', 'General', 'Duration (s)', '1.62'),
      row('earwitness flac', 'General', 'Duration (s)', '1.7'),
      row('mediainfo 26.05', 'Audio', 'Encoded_Library', 'reference libFLAC 1.4.3'),
      row('mediainfo 26.05', 'General', 'Encoded_Date', '2024-01-02'),
    ]);
    expect(facts).toEqual([
      { name: 'Container', values: [{ value: 'FLAC', by: ['mediainfo', 'earwitness'] }] },
      {
        name: 'Length',
        values: [
          { value: '1.62 s', by: ['mediainfo', 'ffmpeg'] },
          { value: '1.70 s', by: ['earwitness'] },
        ],
      },
      { name: 'Written by', values: [{ value: 'reference libFLAC 1.4.3', by: ['mediainfo'] }] },
      { name: 'Dates in the file', values: [{ value: '2024-01-02', by: ['mediainfo'] }] },
    ]);
  });
});

describe('names', () => {
  it('puts what ffmpeg calls codecs and containers in words, and leaves what it does not know', () => {
    expect(codecText('pcm_s16le')).toBe('PCM, 16 bits');
    expect(codecText('pcm_f32le')).toBe('PCM, 32 bits floating point');
    expect(codecText('amr_nb')).toBe('AMR narrow-band');
    expect(codecText('odd')).toBe('odd');
    expect(containerText('mov,mp4,m4a,3gp,3g2,mj2')).toBe('MP4 or QuickTime');
  });
});
