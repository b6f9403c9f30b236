"use strict";
/*
 * One phone with the real acquisition SDK, as a command line:
 *
 *     node client.js ask|update '{"folder": …, "serverUrl": …, "deploymentKey": …, "appVersion": …, "clientUniqueId": …}'
 *
 * ask:    prints what the SDK gives the app: {"answer": remotePackage | {updateAppVersion, appVersion} | null} or {"error"}.
 * update: also downloads it, applies it to what `folder` holds, hashes the result, and reports download and success.
 *
 * Nothing here is shared with the server: zip, diff and package hash are done anew, after docs/protocol.md.
 */
const crypto = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { unzipSync, strFromU8 } = require("fflate");
const { AcquisitionManager, AcquisitionStatus } = require("code-push/script/acquisition-sdk");

// The SDK names methods by number (script/types.js, Http.Verb).
const METHODS = { 0: "GET", 2: "POST" };
const HEADERS = {
  Accept: "application/json",
  "Content-Type": "application/json",
  "X-CodePush-Plugin-Name": "react-native-code-push",
  "X-CodePush-Plugin-Version": "9.0.1",
  "X-CodePush-SDK-Version": "4.2.3",
};

function send(method, url, headers, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, agent: false }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ statusCode: response.statusCode, headers: response.headers, bytes: Buffer.concat(chunks) })
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}

const requester = {
  request(verb, url, body, callback) {
    if (typeof body === "function") {
      callback = body;
      body = undefined;
    }
    send(METHODS[verb], url, HEADERS, body).then(
      (response) => callback(null, { statusCode: response.statusCode, body: response.bytes.toString("utf8") }),
      (error) => callback(error)
    );
  },
};

/** A promise of what a method of the SDK passes to its callback. */
function call(manager, method, ...values) {
  return new Promise((resolve, reject) =>
    manager[method](...values, (error, answer) => (error ? reject(error) : resolve(answer)))
  );
}

function sha256(bytes) {
  return crypto.createHash("sha256").update(bytes).digest("hex");
}

/** {path: bytes} → the package hash, as react-native-code-push computes it from a folder. */
function computePackageHash(files) {
  const entries = Object.keys(files)
    .filter((name) => !name.startsWith("__MACOSX/") && ![".DS_Store", ".codepushrelease"].includes(path.basename(name)))
    .map((name) => `${name}:${sha256(files[name])}`)
    .sort();
  return sha256(Buffer.from(JSON.stringify(entries), "utf8"));
}

async function download(remote) {
  const response = await send("GET", remote.downloadUrl, { "Accept-Encoding": "identity" });
  if (response.statusCode !== 200) throw new Error(`The download was answered ${response.statusCode}.`);
  // Android refuses a download whose length does not match, or is not told.
  if (Number(response.headers["content-length"]) !== response.bytes.length) throw new Error("Content-Length is wrong.");
  if (remote.packageSize !== response.bytes.length) throw new Error("packageSize is wrong.");
  return response.bytes;
}

/** What is on the phone after the archive was applied to `current`: {files, isDiff}. */
function apply(archive, current) {
  const entries = unzipSync(archive);
  for (const name of Object.keys(entries)) if (name.endsWith("/")) delete entries[name];
  const marker = entries["hotcodepush.json"];
  if (!marker) return { files: entries, isDiff: false };
  delete entries["hotcodepush.json"];
  const files = { ...current };
  for (const name of JSON.parse(strFromU8(marker)).deletedFiles) delete files[name];
  return { files: { ...files, ...entries }, isDiff: true };
}

function load(folder) {
  const file = path.join(folder, "phone.json");
  if (!fs.existsSync(file)) return { package: null, files: {} };
  const phone = JSON.parse(fs.readFileSync(file, "utf8"));
  for (const name of Object.keys(phone.files)) phone.files[name] = Buffer.from(phone.files[name], "base64");
  return phone;
}

function save(folder, phone) {
  const files = Object.fromEntries(
    Object.entries(phone.files).map(([name, bytes]) => [name, Buffer.from(bytes).toString("base64")])
  );
  fs.writeFileSync(path.join(folder, "phone.json"), JSON.stringify({ ...phone, files }));
}

async function update(manager, configuration, phone, remote) {
  const archive = await download(remote);
  const { files, isDiff } = apply(archive, phone.files);
  const computedHash = computePackageHash(files);
  await call(manager, "reportStatusDownload", remote);
  const previous = phone.package ? phone.package.label : configuration.appVersion;
  await call(
    manager,
    "reportStatusDeploy",
    remote,
    AcquisitionStatus.DeploymentSucceeded,
    previous,
    configuration.deploymentKey
  );
  save(configuration.folder, { package: remote, files });
  return { isDiff, computedHash, downloadedBytes: archive.length };
}

async function main([command, json]) {
  const configuration = JSON.parse(json);
  const manager = new AcquisitionManager(requester, configuration);
  const phone = load(configuration.folder);
  const current = phone.package || { appVersion: configuration.appVersion };
  const answer = await call(manager, "queryUpdateWithCurrentPackage", current);
  if (command === "ask") return { answer };
  return { answer, ...(await update(manager, configuration, phone, answer)) };
}

main(process.argv.slice(2)).then(
  (result) => console.log(JSON.stringify(result)),
  (error) => console.log(JSON.stringify({ error: error.message }))
);
