/*
 * Which of ffmpeg's readers of containers a recording may reach. What is in neither list, as of a newer ffmpeg, is refused until
 * somebody has looked at it.
 */

/** Only what holds sound and opens no other file. */
export const acceptedDemuxers: readonly string[] = (
  '3g2 3gp aa aac aax ac3 ac4 act adx aea aiff amr amr_wb amrnb amrwb ape apm asf asf_o ast au avi avr boa caf ' +
  'codec2 daud dhav dsf dss dts dtshd dv eac3 epaf flac flv g722 g723_1 g729 gsm gxf hcom iff ifv ilbc ircam iss ivr kux ' +
  'live_flv lmlm4 loas luodat lvf lxf m4a matroska mj2 mlp mov mp3 mp4 mpc mpc8 mpeg mpegts mtv mxf mxg nc nistsphere nsp ' +
  'nsv nut nuv ogg oma osq paf pva pvf qcp rm rso s337m sbc sds sdx shn sln smjpeg sol sox spdif swf tak truehd tta ty ' +
  'vivo voc vqf w64 wav webm wsaud wsd wtv wv wve xwma'
).split(' ');

const refused: Record<string, string> = {
  'it would open other files or addresses that the recording names':
    'concat dash dvdvideo hls image2 image2pipe imf mlv rtp rtsp sap sdp vobsub webm_dash_manifest',
  'it has no header: any bytes would become sound':
    'alaw aptx aptx_hd bit bitpacked codec2raw data dfpwm f32be f32le f64be f64le g726 g726le g728 mpegtsraw msnwctcp mulaw ' +
    's16be s16le s24be s24le s32be s32le s8 sdr2 sdns u16be u16le u24be u24le u32be u32le u8 vidc',
  'it holds notes or a script from which a program makes sound, and no recording':
    'libgme libmodplug libopenmpt sbg mmf',
  'it holds pictures or moving pictures, and no sound':
    'adf alias_pix anm apng apv av1 avs2 avs3 bin bmp_pipe brender_pix cavsvideo cdg cdxl cine cri_pipe dds_pipe dirac dnxhd dpx_pipe ' +
    'evc exr_pipe filmstrip fits flic frm gem_pipe gif gif_pipe h261 h263 h264 hdr_pipe hevc hnm hxvs ico idf ingenient ipu iv8 ivf ' +
    'j2k_pipe jpeg_pipe jpegls_pipe jpegxl_anim jpegxl_anim_pipe jpegxl_pipe jpegxs_pipe jv m4v mjpeg mjpeg_2000 mpegvideo mpjpeg msp obu ' +
    'pam_pipe pbm_pipe pcx_pipe pdv pfm_pipe pgm_pipe pgmyuv_pipe pgx_pipe phm_pipe photocd_pipe pictor_pipe png_pipe ppm_pipe ' +
    'psd_pipe qdraw_pipe qoi_pipe r3d rawvideo rcwt ser sga sgi_pipe simbiosis_imx sunrast_pipe svg_pipe tiff_pipe tmv tty txd v210 v210x ' +
    'vbn_pipe vc1 vc1test vvc webp_pipe xbin xbm_pipe xpm_pipe xwd_pipe yuv4mpegpipe',
  'it holds text, and no sound':
    'aqtitle ass dvbsub dvbtxt ffmetadata jacosub lrc mcc microdvd mpl2 mpsub pjs realtext sami scc srt stl subviewer subviewer1 sup ' +
    'tedcaptions vplayer webvtt',
  'it is a device of this machine, and no file':
    'alsa android_camera avfoundation bktr decklink dshow fbdev gdigrab iec61883 jack kmsgrab lavfi libcdio libdc1394 openal ' +
    'oss pulse sndio v4l2 vfwcap video4linux2 x11grab xcbgrab',
  'it is of games or rare, and its reader has been tested by few':
    '3dostr 4xm ace acm adp ads afc aix alp apac apc argo_asf argo_brp argo_cvg avs bethsoftvid bfi bfstm bink binka bmv bonk brstm c93 ' +
    'dcstr derf dfa dsicin dxa ea ea_cdata film_cpk fsb fwse gdv genh hca iamf idcin ipmovie kvag laf lc3 mca mgsts mm mods moflex msf mtaf ' +
    'musx mv mvi pmp pp_bnk psxstr qoa redspark rka rl2 roq rpl rsd scd siff smk smush svag svs thp tiertexseq usm vag vividas vmd ' +
    'vpk wady wc3movie wsvqa xa xmd xmv xvag yop',
};

/** Why a reader is not used, by its name. */
export const refusedDemuxers: ReadonlyMap<string, string> = new Map(
  Object.entries(refused).flatMap(([reason, names]) => names.split(' ').map((name) => [name, reason] as const)),
);
