// lib/step-layout.wgsl: word offsets in a step. Generated from src/plan/step-layout.ts, which says what each is.
const SAMPLED = 4294967295u;

const HEADER_ROWS = 0u;
const HEADER_OUTPUTS = 1u;
const HEADER_OUTPUT_LIST = 2u;
const HEADER_RESULTS = 3u;
const HEADER_SAMPLING = 4u;
const HEADER_RUNS = 5u;
const HEADER_WORDS = 16u;

const RECORD_SEQUENCE = 0u;
const RECORD_POSITION = 1u;
const RECORD_TOKEN = 2u;
const RECORD_END = 3u;
const RECORD_GIVEN = 4u;
const RECORD_RUN_FIRST = 5u;
const RECORD_RUN_END = 6u;
const RECORD_ITH_RUN = 7u;
const RECORD_TIME = 8u;
const RECORD_HEIGHT = 9u;
const RECORD_WIDTH = 10u;
const RECORD_EXTRA = 11u;
const RECORD_WORDS = 16u;

const SAMPLING_TOP_K = 0u;
const SAMPLING_TOP_P = 1u;
const SAMPLING_LOG_MIN_P = 2u;
const SAMPLING_TEMPERATURE = 3u;
const SAMPLING_SEED_LOW = 4u;
const SAMPLING_SEED_HIGH = 5u;
const SAMPLING_LAST_N = 6u;
const SAMPLING_REPEAT = 7u;
const SAMPLING_FREQUENCY = 8u;
const SAMPLING_PRESENCE = 9u;
const SAMPLING_WORDS = 12u;
