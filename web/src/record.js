// How a result came to be: the record that Python writes too (python/stemzoo/inference/record.py),
// so that `stemzoo replay` computes it again.

/** @import { FileContent, ModelEntry, Result } from "./types.js" */

/**
 * @param {ModelEntry} model
 * @param {Result} result
 * @param {FileContent} file
 * @param {number} shown which of its pictures
 * @param {number | null} frame of a stack
 * @returns {Record<string, unknown>}
 */
export function provenance(model, result, file, shown, frame) {
  const picture = file.pictures[shown];
  const earlier = picture.metadata.provenance;
  return {
    task: model.task,
    input: {
      file: file.name,
      sha256: file.sha256,
      dataset: file.pictures.length > 1 ? file.numbers[shown] : null,
      ...(frame === null ? {} : { frame }),
      ...(earlier ? { provenance: earlier } : {}),
    },
    model: { name: model.name, version: model.version, sha256: model.sha256 },
    ...result.settings,
  };
}

/**
 * The metadata of the file that a result is written to.
 * @param {FileContent} file
 * @param {number} shown
 * @param {Record<string, unknown>} record
 */
export function resultMetadata(file, shown, record) {
  const { title, metadata } = file.pictures[shown];
  return { title: title || file.name.replace(/\.[^.]*$/, ""), ...metadata, provenance: record };
}

/**
 * @param {string} name of the input
 * @param {string} task
 */
export function resultName(name, task) {
  return `${name.replace(/\.[^.]*$/, "")}.${task}d.tif`;
}
