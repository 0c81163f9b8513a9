// An OpenID Connect issuer for the tests, in a process of its own: Node's own modules only, no code of ours. It speaks
// the authorization code flow with PKCE, consents at once for whoever `POST /control` names, and misbehaves as told
// there. Its first line says where it is.

import { createHash, createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { createServer } from 'node:http';

const CLIENT = { id: 'parlance & co', secret: 'se/cret: +%' };
const text = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

let number = 0;
function newKey(alg) {
  const made =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : alg === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('ed25519');
  return { alg, kid: `key-${(number += 1)}`, ...made };
}

let keys = [newKey('RS256'), newKey('ES256'), newKey('EdDSA')];
// What the control sets. `bad` names one misbehaviour; `alg` is the key that signs.
let told = { bad: null, alg: 'RS256', user: { sub: 'u-1' }, thin: false, basic: true, public: false };
const codes = new Map();
const accessTokens = new Map();
const asked = { discovery: 0, jwks: 0, token: 0, userinfo: 0 };
let issuer;

function idToken(code) {
  const key = keys.find((one) => one.alg === told.alg);
  const now = Math.floor(Date.now() / 1000);
  const header = { alg: key.alg, kid: key.kid, typ: 'JWT' };
  const claims = { iss: issuer, aud: CLIENT.id, iat: now, exp: now + 300, nonce: code.nonce, sub: told.user.sub };
  if (!told.thin) Object.assign(claims, told.user);
  switch (told.bad) {
    case 'wrong nonce': claims.nonce = 'another'; break;
    case 'no nonce': delete claims.nonce; break;
    case 'wrong aud': claims.aud = 'another client'; break;
    case 'more aud': claims.aud = [CLIENT.id, 'another client']; break;
    case 'wrong azp': claims.azp = 'another client'; break;
    case 'wrong iss': claims.iss = 'https://login.example.com'; break;
    case 'expired': claims.iat = now - 900; claims.exp = now - 600; break;
    case 'from the future': claims.iat = now + 600; claims.exp = now + 900; break;
    case 'not yet': claims.nbf = now + 600; break;
    case 'no exp': delete claims.exp; break;
    case 'critical': header.crit = ['made-up']; header['made-up'] = true; break;
    case 'no kid': delete header.kid; break;
    case 'unknown kid': header.kid = 'made-up'; break;
    case 'other key': header.kid = keys.find((one) => one.alg !== told.alg).kid; break;
    case 'none': header.alg = 'none'; break;
    case 'HS256': header.alg = 'HS256'; break;
    case 'own jwk': header.jwk = newKey('RS256').publicKey.export({ format: 'jwk' }); break;
  }
  const signed = `${text(header)}.${text(claims)}`;
  const by = (privateKey) =>
    sign(key.alg === 'EdDSA' ? null : 'sha256', Buffer.from(signed), {
      key: privateKey,
      ...(key.alg === 'ES256' ? { dsaEncoding: 'ieee-p1363' } : {}),
    }).toString('base64url');
  switch (told.bad) {
    case 'none': return `${signed}.`;
    // The mistake of whoever takes a public key for a secret.
    case 'HS256': {
      const pem = key.publicKey.export({ type: 'spki', format: 'pem' });
      return `${signed}.${createHmac('sha256', pem).update(signed).digest('base64url')}`;
    }
    case 'stranger': case 'own jwk': return `${signed}.${by(newKey(key.alg).privateKey)}`;
    case 'tampered': {
      const other = text({ ...claims, email: 'admin@example.hu' });
      return `${text(header)}.${other}.${by(key.privateKey)}`;
    }
    default: return `${signed}.${by(key.privateKey)}`;
  }
}

const routes = {
  'POST /control': async (request, answer) => {
    const said = JSON.parse(await body(request));
    if (said.rotate) keys = keys.map((one) => newKey(one.alg));
    told = { ...told, ...said };
    json(answer, 200, asked);
  },
  'GET /.well-known/openid-configuration': (request, answer) => {
    asked.discovery += 1;
    if (told.bad === 'down') return json(answer, 500, {});
    if (told.bad === 'moved') return answer.writeHead(302, { location: `${issuer}/elsewhere` }).end();
    json(answer, 200, {
      issuer: told.bad === 'other issuer' ? 'https://login.example.com' : issuer,
      authorization_endpoint: `${issuer}/authorize?tenant=a`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      userinfo_endpoint: `${issuer}/userinfo`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256', 'ES256', 'EdDSA'],
      token_endpoint_auth_methods_supported: [told.basic ? 'client_secret_basic' : 'client_secret_post'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    });
  },
  'GET /jwks': (request, answer) => {
    asked.jwks += 1;
    const published = keys.map((key) => ({
      ...key.publicKey.export({ format: 'jwk' }), kid: key.kid, alg: key.alg, use: 'sig',
    }));
    // Issuers publish keys that nobody here knows.
    const strange = { kty: 'EC', crv: 'secp256k1', x: 'AA', y: 'AA', kid: 'strange' };
    json(answer, 200, { keys: [strange, { kty: 'new', kid: 'newer' }, ...published] });
  },
  'GET /authorize': (request, answer, url) => {
    const given = Object.fromEntries(url.searchParams);
    const redirect = new URL(given.redirect_uri);
    const right =
      given.response_type === 'code' && given.client_id === CLIENT.id && given.code_challenge_method === 'S256' &&
      given.scope.split(' ').includes('openid') && given.state?.length >= 43 && given.nonce?.length >= 43 &&
      given.tenant === 'a' && redirect.hostname === '127.0.0.1' && redirect.pathname === '/auth/oidc/callback';
    if (!right) return json(answer, 400, { error: 'invalid_request', given });
    redirect.searchParams.set('state', given.state);
    if (told.bad !== 'unnamed') {
      redirect.searchParams.set('iss', told.bad === 'mixed up' ? 'https://login.example.com' : issuer);
    }
    if (told.bad === 'denied' || told.bad === 'strange error') {
      redirect.searchParams.set('error', told.bad === 'denied' ? 'access_denied' : '<script>alert(1)</script>');
      redirect.searchParams.set('error_description', '<script>alert(2)</script>');
    } else {
      const code = randomBytes(24).toString('base64url');
      codes.set(code, { challenge: given.code_challenge, nonce: given.nonce, redirect: given.redirect_uri });
      redirect.searchParams.set('code', code);
    }
    answer.writeHead(302, { location: redirect.href }).end();
  },
  'POST /token': async (request, answer) => {
    asked.token += 1;
    const given = Object.fromEntries(new URLSearchParams(await body(request)));
    const code = codes.get(given.code);
    codes.delete(given.code);
    const decoded = (part) => new URLSearchParams(`x=${part}`).get('x');
    const basic = Buffer.from(request.headers.authorization?.slice(6) ?? '', 'base64').toString().split(':');
    const shown = told.public
      ? given.client_id === CLIENT.id && request.headers.authorization === undefined && !('client_secret' in given)
      : told.basic
        ? basic.length === 2 && decoded(basic[0]) === CLIENT.id && decoded(basic[1]) === CLIENT.secret
        : given.client_id === CLIENT.id && given.client_secret === CLIENT.secret;
    if (!shown) return json(answer, 401, { error: 'invalid_client' });
    const challenge = createHash('sha256').update(given.code_verifier ?? '').digest('base64url');
    const right =
      code && given.grant_type === 'authorization_code' && given.redirect_uri === code.redirect &&
      challenge === code.challenge && given.code_verifier.length >= 43;
    if (!right) return json(answer, 400, { error: 'invalid_grant' });
    if (told.bad === 'silent') return;
    if (told.bad === 'huge') return huge(answer);
    if (told.bad === 'no JSON') return answer.writeHead(200).end('<html>');
    const access = randomBytes(24).toString('base64url');
    accessTokens.set(access, told.user);
    json(answer, 200, { access_token: access, token_type: 'Bearer', expires_in: 300, id_token: idToken(code) });
  },
  'GET /userinfo': (request, answer) => {
    asked.userinfo += 1;
    const user = accessTokens.get(request.headers.authorization?.replace('Bearer ', ''));
    if (!user) return json(answer, 401, {});
    json(answer, 200, told.bad === 'another person' ? { ...user, sub: 'u-2' } : user);
  },
};

async function body(request) {
  let all = '';
  for await (const chunk of request) all += chunk;
  return all;
}

function json(answer, status, value) {
  answer.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

// Goes on until the other side has had enough.
function huge(answer) {
  answer.writeHead(200, { 'content-type': 'application/json' });
  const more = () => {
    while (!answer.destroyed && answer.write(' '.repeat(65_536)));
  };
  answer.on('drain', more);
  more();
}

const server = createServer((request, answer) => {
  const url = new URL(request.url, issuer);
  const route = routes[`${request.method} ${url.pathname}`];
  Promise.resolve(route ? route(request, answer, url) : json(answer, 404, {})).catch((error) => {
    console.error(error);
    json(answer, 500, {});
  });
});
server.listen(0, '127.0.0.1', () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  console.log(JSON.stringify({ issuer, clientId: CLIENT.id, secret: CLIENT.secret }));
});
