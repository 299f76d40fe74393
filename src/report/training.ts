import type { TrainingRecord } from '../training/record.js';
import type { CurvePoint, TrainingShown } from './format.js';

/** Points of a curve, at most. */
const MOST_POINTS = 400;

const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

/** The defined fields. */
function point(fields: { [Name in keyof CurvePoint]: CurvePoint[Name] | undefined }): CurvePoint {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as unknown as CurvePoint;
}

function validationOf(given: unknown): Pick<CurvePoint, 'validationLoss' | 'validationAccuracy'> {
  const { loss, accuracy } = (given ?? {}) as { loss?: unknown; accuracy?: unknown };
  const [validationLoss, validationAccuracy] = [numberOf(loss), numberOf(accuracy)];
  return {
    ...(validationLoss !== undefined && { validationLoss }),
    ...(validationAccuracy !== undefined && { validationAccuracy }),
  };
}

/** Points by the epochs of a record. */
function recorded({ history }: TrainingRecord): CurvePoint[] {
  return history.map(({ epoch, loss, accuracy, learningRate, validation }) => ({
    epoch,
    loss,
    accuracy,
    learningRate,
    ...validationOf(validation),
  }));
}

/** Fields of a training event, from `onEvent` or a JSON line. */
type AnyEvent = Readonly<Record<string, unknown>>;

/** Points by events: `step` events within epochs, `epoch` events at their end. Others are ignored. */
function told(events: readonly object[]): { curve: CurvePoint[]; seconds: number | null } {
  const all: CurvePoint[] = [];
  let seconds: number | null = null;
  for (const given of events) {
    if (typeof given !== 'object' || given === null) continue;
    const event = given as AnyEvent;
    const kind = event.type ?? event.event ?? event.kind;
    seconds = numberOf(event.seconds) ?? seconds;
    if (kind !== 'step' && kind !== 'epoch') continue;
    const [samples, total, epochs] = [event.samples, event.totalSamples, event.epochs].map(numberOf);
    const at = samples !== undefined && total && epochs ? (samples / total) * epochs : numberOf(event.epoch);
    if (at === undefined) continue;
    const ended = kind === 'epoch';
    all.push(
      point({
        epoch: at,
        loss: numberOf(event.loss),
        accuracy: numberOf(event.accuracy),
        learningRate: numberOf(event.learningRate),
        validationLoss: undefined,
        validationAccuracy: undefined,
        ...(ended && validationOf(event.validation)),
      }),
    );
  }
  const every = Math.ceil(all.length / MOST_POINTS);
  const curve = all.filter((each, index) => index % every === 0 || each.validationLoss !== undefined);
  return { curve, seconds };
}

/** How a model was trained: from its record, and from events if there are any. */
export function trainingShown(
  record: TrainingRecord | undefined,
  events: readonly object[] | undefined,
): TrainingShown {
  const { curve, seconds } = told(events ?? []);
  return { record: record ?? null, curve: curve.length > 0 ? curve : record ? recorded(record) : [], seconds };
}
