package capture

import "strconv"

// LinkType says how a packet begins, as registered at https://www.tcpdump.org/linktypes.html.
type LinkType uint16

// The link types package packet decodes.
const (
	LinkNull        LinkType = 0
	LinkEthernet    LinkType = 1
	LinkPPP         LinkType = 9
	LinkRawBSD12    LinkType = 12
	LinkRawBSD14    LinkType = 14
	LinkPPPHDLC     LinkType = 50
	LinkPPPEther    LinkType = 51
	LinkRaw         LinkType = 101
	LinkCiscoHDLC   LinkType = 104
	Link80211       LinkType = 105
	LinkLoop        LinkType = 108
	LinkSLL         LinkType = 113
	LinkRadiotap    LinkType = 127
	LinkPPPPPPD     LinkType = 166
	LinkPPPWithDir  LinkType = 204
	LinkIPv4        LinkType = 228
	LinkIPv6        LinkType = 229
	LinkSLL2        LinkType = 276
	LinkUnspecified LinkType = 0xffff
)

// String gives the registered name, or the number.
func (l LinkType) String() string {
	switch l {
	case LinkNull:
		return "NULL"
	case LinkEthernet:
		return "ETHERNET"
	case LinkPPP:
		return "PPP"
	case LinkRaw, LinkRawBSD12, LinkRawBSD14:
		return "RAW"
	case LinkPPPHDLC:
		return "PPP_HDLC"
	case LinkPPPEther:
		return "PPP_ETHER"
	case LinkCiscoHDLC:
		return "C_HDLC"
	case Link80211:
		return "IEEE802_11"
	case LinkLoop:
		return "LOOP"
	case LinkSLL:
		return "LINUX_SLL"
	case LinkRadiotap:
		return "IEEE802_11_RADIOTAP"
	case LinkPPPPPPD:
		return "PPP_PPPD"
	case LinkPPPWithDir:
		return "PPP_WITH_DIR"
	case LinkIPv4:
		return "IPV4"
	case LinkIPv6:
		return "IPV6"
	case LinkSLL2:
		return "LINUX_SLL2"
	default:
		return "LINKTYPE " + strconv.Itoa(int(l))
	}
}
