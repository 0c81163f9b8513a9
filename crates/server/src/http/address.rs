//! Where a request comes from: the connection's other end, or what the configured number of proxies say of it.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};

/// Appended to by every proxy that a request passes: the address that it came to the proxy from.
const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address. `hops`: how many proxies of ours stand before this server; what anybody else wrote into the
/// header stands further left, and is never believed.
pub fn of_client(peer: SocketAddr, headers: &HeaderMap, hops: usize) -> IpAddr {
    let told = || {
        let values: Vec<_> =
            headers.get_all(FORWARDED).iter().map(|value| value.to_str().unwrap_or("")).collect();
        let entries: Vec<_> = values.iter().flat_map(|value| value.split(',')).map(str::trim).collect();
        // A request that came in behind some of the proxies was told of by the others.
        let first = entries.len().saturating_sub(hops);
        entries.get(first).copied().and_then(read)
    };
    let address = if hops == 0 { None } else { told() };
    address.unwrap_or_else(|| peer.ip()).to_canonical()
}

/// An address as proxies write it: alone, or with a port.
fn read(entry: &str) -> Option<IpAddr> {
    let alone = entry.trim_start_matches('[').trim_end_matches(']');
    alone.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(values: &[&'static str], hops: usize) -> String {
        let headers = values.iter().map(|value| (FORWARDED, HeaderValue::from_static(value))).collect();
        of_client("10.0.0.9:4711".parse().unwrap(), &headers, hops).to_string()
    }

    #[test]
    fn without_a_configured_proxy_nothing_is_believed() {
        assert_eq!(client(&["1.2.3.4"], 0), "10.0.0.9");
        assert_eq!(client(&[], 0), "10.0.0.9");
    }

    #[test]
    fn what_stands_left_of_our_own_proxies_is_not_believed() {
        assert_eq!(client(&["6.6.6.6, 1.2.3.4"], 1), "1.2.3.4");
        assert_eq!(client(&["6.6.6.6", "1.2.3.4"], 1), "1.2.3.4");
        assert_eq!(client(&["6.6.6.6, 1.2.3.4, 10.0.0.7"], 2), "1.2.3.4");
        assert_eq!(client(&["1.2.3.4"], 2), "1.2.3.4", "told by the only proxy that it passed");
    }

    #[test]
    fn addresses_are_read_as_proxies_write_them() {
        assert_eq!(client(&["1.2.3.4:5678"], 1), "1.2.3.4");
        assert_eq!(client(&["2001:db8::1"], 1), "2001:db8::1");
        assert_eq!(client(&["[2001:db8::1]:443"], 1), "2001:db8::1");
        assert_eq!(client(&["[2001:db8::1]"], 1), "2001:db8::1");
        assert_eq!(client(&["::ffff:1.2.3.4"], 1), "1.2.3.4");
        for nonsense in ["unknown", "", "1.2.3.4, ", "1.2.3"] {
            assert_eq!(client(&[nonsense], 1), "10.0.0.9", "{nonsense:?}");
        }
    }
}
