//! Signature verification with `ring`, in the place of WebCrypto. `ring` has no P-521, so ES512 is answered as
//! by a browser without it; the tests in a real browser verify it.

use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};
use wardkey::protocol::hash::from_base64url;
use wardkey::protocol::jwk::SignatureCheck;
use wardkey::protocol::jwt::Algorithm;

/// Is the signature the key's? `None` for ES512.
pub(crate) fn is_genuine(check: &SignatureCheck) -> Option<bool> {
    use Algorithm::*;
    Some(match check.algorithm {
        Rs256 => rsa(check, &signature::RSA_PKCS1_2048_8192_SHA256),
        Rs384 => rsa(check, &signature::RSA_PKCS1_2048_8192_SHA384),
        Rs512 => rsa(check, &signature::RSA_PKCS1_2048_8192_SHA512),
        Ps256 => rsa(check, &signature::RSA_PSS_2048_8192_SHA256),
        Ps384 => rsa(check, &signature::RSA_PSS_2048_8192_SHA384),
        Ps512 => rsa(check, &signature::RSA_PSS_2048_8192_SHA512),
        Es256 => elliptic(check, &signature::ECDSA_P256_SHA256_FIXED),
        Es384 => elliptic(check, &signature::ECDSA_P384_SHA384_FIXED),
        EdDsa | Ed25519 => {
            let key = UnparsedPublicKey::new(&signature::ED25519, member(check, "x"));
            key.verify(&check.signing_input, &check.signature).is_ok()
        }
        Es512 => return None,
    })
}

fn member(check: &SignatureCheck, name: &str) -> Vec<u8> {
    let text = check.key.get(name).and_then(|value| value.as_str()).expect("the key is whole");
    from_base64url(text).expect("the key is base64url")
}

fn rsa(check: &SignatureCheck, algorithm: &'static signature::RsaParameters) -> bool {
    // ring refuses a leading zero octet, which JWKs in the wild have and WebCrypto takes.
    let modulus = member(check, "n");
    let start = modulus.iter().position(|octet| *octet != 0).unwrap_or(0);
    let key = RsaPublicKeyComponents { n: &modulus[start..], e: &member(check, "e") };
    key.verify(algorithm, &check.signing_input, &check.signature).is_ok()
}

fn elliptic(check: &SignatureCheck, algorithm: &'static dyn VerificationAlgorithm) -> bool {
    let point = [vec![4], member(check, "x"), member(check, "y")].concat();
    UnparsedPublicKey::new(algorithm, point).verify(&check.signing_input, &check.signature).is_ok()
}
