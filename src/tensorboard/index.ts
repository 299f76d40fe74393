export { SummaryWriter, type SummaryWriterOptions } from './summaryWriter.js';
