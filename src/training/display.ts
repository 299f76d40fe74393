import { createRequire } from 'node:module';
import { now } from '../core/clock.js';
import { duration, jsonLine, note, percent } from '../core/terminal.js';
import type { PrepareEvent } from './events/events.js';
import type { Progress, Validation, ValidationResult } from './progress.js';

/** Shows a training's progress. */
export interface ProgressDisplay {
  /** Shows a report of a training for any task; give it to `onProgress`. */
  update(progress: Progress<Validation>): void;
  /** Shows the progress of the work before the first step; give it the `prepare` events of `onEvent`. */
  prepare(event: PrepareEvent): void;
  /** Ends the display, leaving the terminal as it was. */
  stop(): void;
}

/** Options of {@link progressDisplay}. */
export interface ProgressDisplayOptions {
  /** Write each report as a JSON line to standard output instead. Default `false`. */
  json?: boolean;
}

const SECONDS_BETWEEN_LINES = 5;

const PREPARED: Record<PrepareEvent['about'], string> = {
  vectors: 'learning word vectors',
  linear: 'training the linear model',
  mix: 'choosing how it is mixed with the network',
};

function prepareLine({ about, share }: PrepareEvent): string {
  return `${PREPARED[about]}: ${Math.floor(share * 100)} %`;
}

/**
 * Validation figures as text.
 *
 * @internal
 */
export function validationWords(
  validation: Partial<ValidationResult> & { loss: number; f1?: number; perplexity?: number; unitErrorRate?: number },
): string {
  const { loss, accuracy, f1, perplexity, unitErrorRate } = validation;
  if (accuracy === undefined) return `loss ${loss.toFixed(4)}, perplexity ${perplexity?.toPrecision(4)}`;
  const edits = unitErrorRate === undefined ? '' : `, unit errors ${percent(unitErrorRate)}`;
  return `loss ${loss.toFixed(4)}, accuracy ${percent(accuracy)}${f1 === undefined ? '' : `, F1 ${percent(f1)}`}${edits}`;
}

function epochLine(progress: Progress<Validation>): string {
  const { validation } = progress;
  const measured = validation ? `, validation ${validationWords(validation)}` : '';
  return (
    `epoch ${progress.epoch}/${progress.epochs}: loss ${progress.loss.toFixed(4)}, accuracy ${percent(progress.accuracy)}` +
    `${measured} (${Math.round(progress.samplesPerSecond)} samples/s)`
  );
}

function bar(): ProgressDisplay {
  // Loaded only where a bar is shown, to keep `import 'recurra'` fast.
  const cliProgress = createRequire(import.meta.url)('cli-progress') as typeof import('cli-progress');
  const shown = new cliProgress.SingleBar({
    format:
      '{bar} {percentage} % | epoch {epoch} | {speed} samples/s | loss {loss} | accuracy {accuracy} | {left} left',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    hideCursor: true,
    stopOnComplete: false,
    clearOnComplete: true,
    stream: process.stderr,
  });
  let started = false;
  let preparing = false;
  const endPreparing = () => {
    if (preparing) process.stderr.write('\r\u001b[K');
    preparing = false;
  };
  return {
    prepare(event) {
      preparing = true;
      process.stderr.write(`\r\u001b[K${prepareLine(event)}`);
    },
    update(progress) {
      endPreparing();
      const payload = {
        epoch: `${progress.epoch}/${progress.epochs}`,
        speed: Math.round(progress.samplesPerSecond),
        loss: progress.loss.toFixed(4),
        accuracy: percent(progress.accuracy),
        left: duration(progress.secondsLeft),
      };
      if (!started) shown.start(progress.totalSamples, progress.samples, payload);
      else shown.update(progress.samples, payload);
      started = true;
      if (progress.kind === 'epoch') {
        // The line of a finished epoch stays above the bar.
        process.stderr.write('\r\u001b[K');
        note(epochLine(progress));
        shown.render();
      }
    },
    stop() {
      endPreparing();
      if (started) shown.stop();
    },
  };
}

function plainLines(): ProgressDisplay {
  let last = 0;
  // Work of less than a second gets no line.
  let prepared = now() - (SECONDS_BETWEEN_LINES - 1) * 1000;
  const due = (before: number) => now() - before >= SECONDS_BETWEEN_LINES * 1000;
  return {
    prepare(event) {
      if (!due(prepared)) return;
      prepared = now();
      note(prepareLine(event));
    },
    update(progress) {
      if (progress.kind === 'epoch') return note(epochLine(progress));
      if (!due(last)) return;
      last = now();
      note(
        `${progress.samples}/${progress.totalSamples} samples, epoch ${progress.epoch}/${progress.epochs}, ` +
          `${Math.round(progress.samplesPerSecond)} samples/s, loss ${progress.loss.toFixed(4)}, ` +
          `accuracy ${percent(progress.accuracy)}, ${duration(progress.secondsLeft)} left`,
      );
    },
    stop() {},
  };
}

/**
 * Shows progress on standard error: a bar with speed, loss, accuracy and time left on a terminal, plain lines elsewhere.
 *
 * @example
 * ```ts
 * const display = progressDisplay();
 * const model = await TextClassifier.train(rows, { onProgress: display.update });
 * display.stop();
 * ```
 */
export function progressDisplay({ json = false }: ProgressDisplayOptions = {}): ProgressDisplay {
  if (json) {
    return {
      prepare: ({ type, about, share }) => jsonLine({ event: type, about, share }),
      update: ({ kind, ...progress }) => jsonLine({ event: kind, ...progress }),
      stop() {},
    };
  }
  return process.stderr.isTTY ? bar() : plainLines();
}
