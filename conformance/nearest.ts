/** Where the nearest known words come from, for those who judge and report. */
export { didYouMean, nearest } from '../harness/nearest.js';
